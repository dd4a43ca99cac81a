#include "Replay.h"

#include "tercet/AtomicFile.h"
#include "tercet/compiler/TensorFile.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace tercet::cli {
namespace {

constexpr uint64_t callLimit = 1 << 20; // bytes of call.json

/// The parts of call.json that decide anything; everything else of a call is in the artifact and the tensors.
struct RecordedCall {
  std::vector<std::string> tensors;
  std::vector<std::pair<std::string, double>> parameters;
};

Result<RecordedCall> readCall(const std::string &record) {
  std::string path = record + "/call.json";
  TERCET_TRY(std::vector<uint8_t> bytes, readWholeFile(path, callLimit));
  Json object = Json::parse(bytes.begin(), bytes.end(), nullptr, /*allow_exceptions=*/false);
  RecordedCall call;
  auto malformed = [&](const char *what) {
    return Status::make(Code::invalidArgument, "{} is no recorded call: {}", path, what);
  };
  if (!object.is_object() || !object.contains("tensors") || !object["tensors"].is_object())
    return malformed("it has no object \"tensors\"");
  for (const auto &[name, tensor] : object["tensors"].items())
    call.tensors.push_back(name);
  if (!object.contains("parameters") || !object["parameters"].is_object())
    return malformed("it has no object \"parameters\"");
  for (const auto &[name, value] : object["parameters"].items()) {
    if (!value.is_number())
      return malformed("a parameter is no number");
    call.parameters.emplace_back(name, value.get<double>());
  }
  return call;
}

std::vector<int64_t> shapeOf(const Tensor &tensor) {
  return {tensor.shape.begin(), tensor.shape.begin() + tensor.rank};
}

/// Both row-major and of one shape.
ReplayedOutput compare(const std::string &name, const Tensor &found, const Tensor &expected) {
  ReplayedOutput output{name};
  size_t bytes = static_cast<size_t>(found.elements()) * dtypeSize(found.dtype);
  output.isEqual = std::memcmp(found.data, expected.data, bytes) == 0;
  const auto &shape = found.shape;
  for (int64_t i = 0; i < shape[0] && !output.isEqual; ++i)
    for (int64_t j = 0; j < shape[1]; ++j)
      for (int64_t k = 0; k < shape[2]; ++k)
        for (int64_t l = 0; l < shape[3]; ++l) {
          double a = found.get(i, j, k, l), b = expected.get(i, j, k, l);
          double difference = a == b ? 0 : std::fabs(a - b); // equal infinities
          if (!(difference <= output.largestDifference) && !std::isnan(output.largestDifference))
            output.largestDifference = difference;
        }
  return output;
}

} // namespace

bool ReplayResult::passed() const {
  return std::all_of(outputs.begin(), outputs.end(), [](const ReplayedOutput &each) { return each.isEqual; });
}

Json ReplayResult::json() const {
  Json compared = Json::object();
  for (const ReplayedOutput &output : outputs)
    compared[output.name] = {{"equal", output.isEqual}, {"largest_difference", output.largestDifference}};
  return {{"command", "run"},     {"replay", record},    {"spec", spec},      {"module", module},
          {"ms", report.totalMs}, {"outputs", compared}, {"passed", passed()}};
}

std::string ReplayResult::text() const {
  std::string lines = fmt::format("{} of {} on {}: {:.3f} ms\n", spec, record, module, report.totalMs);
  for (const ReplayedOutput &output : outputs)
    lines += output.isEqual ? fmt::format("{}: equal\n", output.name)
                            : fmt::format("{}: differs by up to {:.3g}\n", output.name, output.largestDifference);
  return lines;
}

Result<ReplayResult> replayCall(const std::string &record, const std::string &target) {
  TERCET_TRY(RecordedCall call, readCall(record));
  TERCET_TRY(Artifact artifact, Artifact::load(record + "/kernel.tercet"));
  TERCET_TRY(std::unique_ptr<Session> session, Session::create({.useCache = false}));
  TERCET_TRY(std::shared_ptr<Kernel> kernel, session->load(std::move(artifact), target));
  if (kernel->module().isGpu())
    return Status::make(Code::unsupportedTarget, "{} is a call on a GPU, whose tensors are not recorded", record);

  Arguments arguments;
  arguments.parameters = call.parameters;
  std::vector<compiler::StoredTensor> stored;
  std::vector<std::pair<std::string, Tensor>> expected;
  for (const PlanArgument &argument : kernel->artifact().signature().arguments) {
    if (std::find(call.tensors.begin(), call.tensors.end(), argument.name) == call.tensors.end())
      continue;
    const char *file = argument.isOutput ? "outputs" : "inputs";
    TERCET_TRY(compiler::StoredTensor tensor,
               compiler::readTensor(fmt::format("{}/{}.safetensors:{}", record, file, argument.name)));
    stored.push_back(tensor);
    if (argument.isOutput) {
      expected.emplace_back(argument.name, tensor.view);
      TERCET_TRY(tensor, compiler::StoredTensor::allocate(tensor.view.dtype, shapeOf(tensor.view)));
      stored.push_back(tensor);
    }
    arguments.tensors.emplace_back(argument.name, tensor.view);
  }
  TERCET_TRY(size_t bytes, kernel->workspaceBytes(arguments));
  TERCET_TRY(compiler::StoredTensor workspace,
             compiler::StoredTensor::allocate(DType::i8, {std::max<int64_t>(1, static_cast<int64_t>(bytes))}));
  ReplayResult result{record, kernel->artifact().specName, kernel->module().target, {}, {}};
  TERCET_RETURN_IF_ERROR(kernel->launch(arguments, workspace.view.data, bytes, &result.report));
  for (const auto &[name, tensor] : expected)
    result.outputs.push_back(compare(name, *arguments.find(name), tensor));
  return result;
}

} // namespace tercet::cli
