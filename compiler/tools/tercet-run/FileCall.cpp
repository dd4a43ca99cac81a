#include "FileCall.h"

#include "ArtifactFiles.h"
#include "CallSizes.h"

#include "tercet/compiler/TensorFile.h"

#include <charconv>

namespace tercet::run {
namespace {

using cli::Json;
using Role = PlanArgument::Role;

Result<std::pair<std::string, std::string>> split(const char *option, const std::string &text) {
  size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
    return Status::make(Code::invalidArgument, "{} is '{}'; it must be NAME=VALUE", option, text);
  return std::pair{text.substr(0, equals), text.substr(equals + 1)};
}

/// The name that a role's output has on the command line, whatever the plan calls it.
std::string outputName(const PlanArgument &argument) {
  return argument.role == Role::classesOutput ? "classes" : argument.name;
}

struct Call {
  std::vector<compiler::StoredTensor> files;
  std::vector<std::vector<char>> storage;
  Arguments arguments;
  std::vector<std::pair<std::string, Tensor>> outputs; ///< by file
};

Status addOutputs(const PlanSignature &signature, const FileCallOptions &options, Call &call) {
  const Tensor *q = call.arguments.find("q"), *k = call.arguments.find("k"), *v = call.arguments.find("v");
  if (!q || !k || !v || q->rank != 4 || k->rank != 4 || v->rank != 4)
    return Status::make(Code::invalidArgument,
                        "--in must give q, k and v, each [batch, heads, tokens, head dimension]");
  std::vector<std::pair<std::string, std::string>> wanted;
  for (const std::string &text : options.out) {
    TERCET_TRY(auto pair, split("--out", text));
    wanted.push_back(std::move(pair));
  }
  for (const PlanArgument &argument : signature.arguments) {
    if (!argument.isOutput)
      continue;
    auto file = std::find_if(wanted.begin(), wanted.end(),
                             [&](const auto &pair) { return pair.first == outputName(argument); });
    if (file == wanted.end() && argument.optional)
      continue;
    Tensor output =
        makeOutput(argument, sizesOf(signature, *q, *k, *v, call.arguments.parameters), v->shape[3], call.storage);
    call.arguments.tensors.emplace_back(argument.name, output);
    if (file == wanted.end())
      continue;
    TERCET_RETURN_IF_ERROR(compiler::checkWritable(file->second, argument.dtype));
    call.outputs.emplace_back(file->second, output);
    wanted.erase(file);
  }
  if (!wanted.empty())
    return Status::make(Code::invalidArgument, "--out names '{}', which this artifact does not write",
                        wanted.front().first);
  return {};
}

Result<Call> readCall(const PlanSignature &signature, const FileCallOptions &options) {
  Call call;
  for (const std::string &text : options.in) {
    TERCET_TRY(auto pair, split("--in", text));
    TERCET_TRY(compiler::StoredTensor stored, compiler::readTensor(pair.second));
    call.arguments.tensors.emplace_back(pair.first, stored.view);
    call.files.push_back(std::move(stored));
  }
  for (const std::string &text : options.set) {
    TERCET_TRY(auto pair, split("--set", text));
    double value = 0;
    const std::string &digits = pair.second;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size())
      return Status::make(Code::invalidArgument, "--set {} is '{}'; it must be a number", pair.first, digits);
    call.arguments.parameters.emplace_back(pair.first, value);
  }
  TERCET_RETURN_IF_ERROR(addOutputs(signature, options, call));
  return call;
}

} // namespace

Result<Json> runFiles(const RunTarget &target, const FileCallOptions &options) {
  TERCET_TRY(Artifact artifact, loadArtifacts(options.artifacts));
  TERCET_TRY(Call call, readCall(artifact.signature(), options));
  std::string spec = artifact.specName;
  TERCET_TRY(std::shared_ptr<Kernel> kernel, target.session.load(std::move(artifact), target.target));
  TERCET_TRY(BoundKernel bound, BoundKernel::bind(kernel, target.device, call.arguments));
  TERCET_TRY(LaunchReport report, bound.launch());
  TERCET_RETURN_IF_ERROR(bound.download());
  Json object = {{"command", "run"},        {"spec", spec},
                 {"target", target.target}, {"module", kernel->module().target},
                 {"ms", report.totalMs},    {"workspace_bytes", bound.workspaceBytes()},
                 {"stages", Json::array()}};
  for (const auto &[stage, ms] : report.stageMs)
    object["stages"].push_back({{"stage", stage}, {"ms", ms}});
  for (const auto &[path, tensor] : call.outputs) {
    TERCET_RETURN_IF_ERROR(compiler::writeTensors(path, {{"tensor", tensor}}));
    object["outputs"].push_back(path);
  }
  return object;
}

} // namespace tercet::run
