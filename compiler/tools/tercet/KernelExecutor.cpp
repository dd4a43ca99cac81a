// The compiled side of Executor: a Session with the JIT, and a workspace that grows as calls need it.
#include "Executor.h"
#include "ReferenceExecutor.h"

#include "tercet/Jit.h"

namespace tercet::cli {
namespace {

class KernelExecutor final : public Executor {
public:
  static Result<std::unique_ptr<Executor>> open(const LoadedSpec &spec, const ExecutorOptions &options) {
    auto executor = std::make_unique<KernelExecutor>();
    TERCET_TRY(executor->session, Session::create({.useCache = options.useCache}, makeCompiler()));
    Problem problem{options.headDim, options.valueDim, options.dtype, options.target.text};
    TERCET_TRY(executor->kernel, executor->session->compile(spec.toCompile, problem, &executor->report));
    return std::unique_ptr<Executor>(std::move(executor));
  }

  Result<LaunchReport> launch(const CallData &call, const CallOutputs &outputs) override {
    Arguments all = combined(call, outputs);
    TERCET_TRY(size_t needed, kernel->workspaceBytes(all));
    if (needed > workspaceSize) {
      TERCET_TRY(workspace, compiler::StoredTensor::allocate(DType::i8, {static_cast<int64_t>(needed)}));
      workspaceSize = needed;
    }
    LaunchReport result;
    TERCET_RETURN_IF_ERROR(kernel->launch(all, workspace.view.data, workspaceSize, &result));
    return result;
  }

  size_t workspaceBytes() const override { return workspaceSize; }
  const Artifact *artifact() const override { return &kernel->artifact(); }
  const TargetModule *module() const override { return &kernel->module(); }
  std::string target() const override { return module()->target; }
  CompileReport compileReport() const override { return report; }
  int64_t compileCount() const override { return session->compileCount(); }
  int threads() const override { return session->threads(); }

private:
  /// The arguments under the plan's names: the map of classes goes out under a name of its own, so that classes can be
  /// handed in and read back in one call.
  Arguments combined(const CallData &call, const CallOutputs &outputs) const {
    Arguments all = call.arguments;
    for (const auto &[name, tensor] : outputs.arguments.tensors)
      all.tensors.emplace_back(name == "classes" ? classesOutput() : name, tensor);
    return all;
  }

  std::string classesOutput() const {
    for (const PlanArgument &argument : module()->plan.arguments)
      if (argument.isOutput && argument.name != "o" && argument.name != "lse")
        return argument.name;
    return "classes";
  }

  std::unique_ptr<Session> session;
  std::shared_ptr<Kernel> kernel;
  CompileReport report;
  compiler::StoredTensor workspace;
  size_t workspaceSize = 0;
};

} // namespace

Result<std::unique_ptr<Executor>> makeExecutor(const LoadedSpec &spec, const ExecutorOptions &options) {
  TERCET_RETURN_IF_ERROR(checkRunsHere(options.target));
  if (options.target.kind == TargetName::Kind::reference)
    return makeReferenceExecutor(spec, options.showProgress);
  return KernelExecutor::open(spec, options);
}

Json executorJson(const Executor &executor) {
  CompileReport report = executor.compileReport();
  Json object = {{"target", executor.target()},
                 {"threads", executor.threads()},
                 {"compile_ms", report.compileMs},
                 {"cache", report.cache},
                 {"compiles", executor.compileCount()}};
  if (const Artifact *artifact = executor.artifact()) {
    object["aggregation"] = artifact->aggregation;
    Json schedule = Json::object();
    for (const KernelInfo &kernel : executor.module()->kernels)
      schedule[kernel.name] = kernel.schedule;
    object["schedule"] = std::move(schedule);
  }
  return object;
}

Json launchJson(const LaunchReport &report, bool classifies) {
  Json stages = Json::array();
  for (const auto &[stage, ms] : report.stageMs) {
    Json entry = {{"stage", stage}, {"ms", ms}};
    if (auto flops = report.stageFlops.find(stage); flops != report.stageFlops.end())
      entry["flop"] = flops->second;
    stages.push_back(std::move(entry));
  }
  Json object = {{"ms", report.totalMs}, {"stages", std::move(stages)}};
  if (classifies)
    object["blocks"] = {
        {"kept", report.criticalBlocks}, {"linear", report.marginalBlocks}, {"skipped", report.negligibleBlocks}};
  return object;
}

} // namespace tercet::cli
