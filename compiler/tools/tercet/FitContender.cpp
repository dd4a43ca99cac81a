#include "FitContender.h"

#include "tercet/compiler/PerHeadSpec.h"

namespace tercet::cli {

Result<std::unique_ptr<FitContender>> FitContender::make(const LoadedSpec &spec, CallData call, const Tensor &exact,
                                                         ExecutorOptions options) {
  auto contender = std::make_unique<FitContender>();
  contender->ofAllHeads = spec;
  contender->exact = exact;
  TERCET_TRY(contender->knob, findKnob(spec, call.sizes));
  Spec bound = spec.toCompile;
  for (const compiler::ParameterInfo &parameter : spec.info.parameters)
    if (parameter.isSet)
      bound.settings[parameter.name] = parameter.value;
  TERCET_TRY(std::string text, compiler::makePerHead(bound, contender->knob.parameter, contender->knob.table()));
  TERCET_TRY(LoadedSpec perHead, bindSpec({std::move(text), fmt::format("<{} per head>", spec.info.name), {}}));
  contender->spec = std::make_unique<LoadedSpec>(std::move(perHead));

  const int64_t heads = call.sizes.headsQ;
  contender->call = std::move(call);
  TERCET_TRY(contender->values, compiler::StoredTensor::allocate(contender->knob.dtype(), {heads}));
  contender->call.arguments.parameters = contender->spec->runtimeSettings;
  contender->call.arguments.tensors.emplace_back(contender->knob.table(), contender->values.view);
  TERCET_TRY(contender->call.sizes,
             reference::checkArguments(contender->spec->info.program, contender->call.arguments));
  std::vector<std::string> names = {"o"};
  TERCET_TRY(contender->timed, makeOutputs(contender->call, names));
  contender->compared = {contender->timed.arguments, {}};
  if (spec.info.classifies()) {
    TERCET_TRY(CallOutputs classes, makeOutputs(contender->call, {"classes"}));
    contender->compared.arguments.tensors.push_back(classes.arguments.tensors.front());
    contender->compared.stored.push_back(classes.stored.front());
  }
  TERCET_TRY(contender->executor, makeExecutor(*contender->spec, options));
  return contender;
}

void FitContender::setLevels(const std::vector<int64_t> &levels) {
  for (size_t head = 0; head < levels.size(); ++head)
    values.view.set(knob.value(levels[head]), static_cast<int64_t>(head));
}

Result<compiler::StoredTensor> FitContender::table(const std::vector<int64_t> &levels) const {
  TERCET_TRY(compiler::StoredTensor table,
             compiler::StoredTensor::allocate(knob.dtype(), {static_cast<int64_t>(levels.size())}));
  for (size_t head = 0; head < levels.size(); ++head)
    table.view.set(knob.value(levels[head]), static_cast<int64_t>(head));
  return table;
}

Result<tune::HeadErrors> FitContender::errors(const std::vector<int64_t> &levels) {
  setLevels(levels);
  TERCET_RETURN_IF_ERROR(executor->launch(call, compared).takeStatus());
  if (ofAllHeads.info.classifies())
    keptAt[levels] = countKept();
  else
    keptAt[levels] = {};
  const Tensor &o = *timed.arguments.find("o");
  if (o.dtype == DType::f32)
    return tune::headErrors(o, exact);
  TERCET_TRY(compiler::StoredTensor wide, compiler::convertTensor(o, DType::f32));
  return tune::headErrors(wide.view, exact);
}

Result<double> FitContender::time(const std::vector<int64_t> &levels) {
  setLevels(levels);
  TERCET_TRY(LaunchReport report, executor->launch(call, timed));
  return report.totalMs;
}

KeptShares FitContender::countKept() const {
  const Tensor &classes = *compared.arguments.find("classes");
  const int64_t batch = classes.shape[0], heads = classes.shape[1], blocks = classes.shape[2] * classes.shape[3];
  KeptShares shares;
  for (int64_t head = 0; head < heads; ++head) {
    int64_t critical = 0;
    for (int64_t entry = 0; entry < batch; ++entry) {
      const int8_t *first = static_cast<const int8_t *>(classes.data) + (entry * heads + head) * blocks;
      critical += std::count(first, first + blocks, int8_t{1});
    }
    shares.push_back(static_cast<double>(critical) / static_cast<double>(batch * blocks));
  }
  return shares;
}

Result<compiler::StoredTensor> exactOutput(const LoadedSpec &dense, const CallData &call, bool useCache) {
  CallData wide = borrowed(call);
  for (auto &[name, tensor] : wide.arguments.tensors) {
    if ((name != "q" && name != "k" && name != "v") || tensor.dtype == DType::f32)
      continue;
    TERCET_TRY(compiler::StoredTensor converted, compiler::convertTensor(tensor, DType::f32));
    tensor = converted.view;
    wide.stored.push_back(std::move(converted));
  }
  TERCET_TRY(wide.sizes, reference::checkArguments(dense.info.program, wide.arguments));
  TERCET_TRY(CallOutputs outputs, makeOutputs(wide, {"o"}));
  ExecutorOptions options{.target = {TargetName::Kind::cpu, "cpu"},
                          .headDim = wide.sizes.headDim,
                          .valueDim = wide.sizes.valueDim,
                          .dtype = DType::f32,
                          .useCache = useCache};
  TERCET_TRY(auto executor, makeExecutor(dense, options));
  TERCET_RETURN_IF_ERROR(executor->launch(wide, outputs).takeStatus());
  return outputs.stored.front();
}

} // namespace tercet::cli
