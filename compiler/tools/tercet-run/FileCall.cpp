#include "FileCall.h"

#include "ArtifactFiles.h"
#include "CallSizes.h"

#include "tercet/SavedOutputs.h"
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

/// The tensors of a call: inputs from files, outputs by the files that they go to.
class FileTensors {
public:
  Status read(const FileCallOptions &options) {
    for (const std::string &text : options.in) {
      TERCET_TRY(auto pair, split("--in", text));
      TERCET_TRY(compiler::StoredTensor stored, compiler::readTensor(pair.second));
      inputs.tensors.emplace_back(pair.first, stored.view);
      files.push_back(std::move(stored));
    }
    for (const std::string &text : options.set) {
      TERCET_TRY(auto pair, split("--set", text));
      double value = 0;
      const std::string &digits = pair.second;
      auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
      if (error != std::errc() || end != digits.data() + digits.size())
        return Status::make(Code::invalidArgument, "--set {} is '{}'; it must be a number", pair.first, digits);
      inputs.parameters.emplace_back(pair.first, value);
    }
    for (const std::string &text : options.out) {
      TERCET_TRY(auto pair, split("--out", text));
      wanted.push_back(std::move(pair));
    }
    for (const char *name : {"q", "k", "v"})
      if (const Tensor *tensor = inputs.find(name); !tensor || tensor->rank != 4)
        return Status::make(Code::invalidArgument,
                            "--in must give q, k and v, each [batch, heads, tokens, head dimension]");
    return {};
  }

  /// Memory for the outputs that are asked for, that cannot be left out, or that `taker` takes.
  Status addOutputs(const PlanSignature &signature, const PlanSignature *taker, Arguments &arguments) {
    const Tensor &q = *inputs.find("q"), &k = *inputs.find("k"), &v = *inputs.find("v");
    auto isTaken = [&](const PlanArgument &output) {
      return taker && std::any_of(taker->arguments.begin(), taker->arguments.end(),
                                  [&](const PlanArgument &input) { return savedOutput(signature, input) == &output; });
    };
    for (const PlanArgument &argument : signature.arguments) {
      if (!argument.isOutput)
        continue;
      auto file = std::find_if(wanted.begin(), wanted.end(),
                               [&](const auto &pair) { return pair.first == outputName(argument); });
      if (file == wanted.end() && argument.optional && !isTaken(argument))
        continue;
      Tensor output = makeOutput(argument, sizesOf(signature, q, k, v, inputs.parameters), v.shape[3], storage);
      if (argument.role >= Role::queryGradient) { // shaped as what it is the gradient of
        const Tensor *input = inputs.find(argument.name.substr(1));
        if (!input)
          return Status::make(Code::invalidArgument, "--out names '{}', but {} is not given", argument.name,
                              argument.name.substr(1));
        storage.emplace_back(static_cast<size_t>(input->elements()) * dtypeSize(argument.dtype));
        output = Tensor::contiguous(storage.back().data(), argument.dtype,
                                    {input->shape.begin(), input->shape.begin() + input->rank});
      }
      arguments.tensors.emplace_back(argument.name, output);
      if (file == wanted.end())
        continue;
      TERCET_RETURN_IF_ERROR(compiler::checkWritable(file->second, argument.dtype));
      outputs.emplace_back(file->second, output);
      wanted.erase(file);
    }
    return {};
  }

  Status checkAllMade(bool grad) const {
    if (wanted.empty())
      return {};
    return Status::make(Code::invalidArgument, "--out names '{}', which this artifact does not write{}",
                        wanted.front().first, grad ? "" : "; gradients need --grad");
  }

  Status write(Json &object) const {
    for (const auto &[path, tensor] : outputs) {
      TERCET_RETURN_IF_ERROR(compiler::writeTensors(path, {{"tensor", tensor}}));
      object["outputs"].push_back(path);
    }
    return {};
  }

  Arguments inputs;

private:
  std::vector<compiler::StoredTensor> files;
  std::vector<std::vector<char>> storage;                  ///< moving one keeps its memory
  std::vector<std::pair<std::string, std::string>> wanted; ///< NAME, FILE of outputs not yet made
  std::vector<std::pair<std::string, Tensor>> outputs;     ///< by file
};

/// Launches one direction and adds what it took. Outputs are in host memory afterwards.
Status launch(const RunTarget &target, Artifact artifact, const Arguments &arguments, const char *direction,
              Json &object) {
  TERCET_TRY(std::shared_ptr<Kernel> kernel, target.session.load(std::move(artifact), target.target));
  TERCET_TRY(BoundKernel bound, BoundKernel::bind(kernel, target.device, arguments));
  TERCET_TRY(LaunchReport report, bound.launch());
  TERCET_RETURN_IF_ERROR(bound.download());
  object["module"] = kernel->module().target;
  object["ms"] = object["ms"].get<double>() + report.totalMs;
  object["workspace_bytes"] = std::max(object["workspace_bytes"].get<size_t>(), bound.workspaceBytes());
  for (const auto &[stage, ms] : report.stageMs) {
    object["stages"].push_back({{"stage", stage}, {"ms", ms}});
    if (*direction)
      object["stages"].back()["direction"] = direction;
  }
  return {};
}

/// What the backward takes: what it shares with the forward, `do`, and what the forward saved.
Arguments backwardInputs(const PlanSignature &forward, const PlanSignature &backward, const Arguments &inputs,
                         const Arguments &saved) {
  Arguments taken{{}, inputs.parameters};
  for (const PlanArgument &argument : backward.arguments) {
    const PlanArgument *source = savedOutput(forward, argument);
    const Tensor *tensor = source ? saved.find(source->name) : inputs.find(argument.name);
    if (tensor && !argument.isOutput)
      taken.tensors.emplace_back(argument.name, *tensor);
  }
  return taken;
}

} // namespace

Result<Json> runFiles(const RunTarget &target, const FileCallOptions &options) {
  TERCET_TRY(Artifact artifact, loadArtifacts(options.artifacts));
  Artifact backward;
  if (options.grad) {
    Result<Artifact> held = artifact.backward();
    if (!held.ok())
      return Status::make(Code::invalidArgument, "--grad: {}; 'tercet compile --grad' makes one that does",
                          held.status().message());
    backward = *std::move(held);
  }
  FileTensors tensors;
  TERCET_RETURN_IF_ERROR(tensors.read(options));
  const PlanSignature forward = artifact.signature();
  Arguments first = tensors.inputs, second;
  if (options.grad)
    std::erase_if(first.tensors, [&](const auto &tensor) {
      return !forward.find(tensor.first) && backward.signature().find(tensor.first);
    });
  TERCET_RETURN_IF_ERROR(tensors.addOutputs(forward, options.grad ? &backward.signature() : nullptr, first));
  if (options.grad) {
    second = backwardInputs(forward, backward.signature(), tensors.inputs, first);
    TERCET_RETURN_IF_ERROR(tensors.addOutputs(backward.signature(), nullptr, second));
  }
  TERCET_RETURN_IF_ERROR(tensors.checkAllMade(options.grad));
  Json object = {{"command", "run"}, {"spec", artifact.specName},    {"target", target.target}, {"module", ""},
                 {"ms", 0.0},        {"workspace_bytes", size_t{0}}, {"stages", Json::array()}};
  TERCET_RETURN_IF_ERROR(launch(target, std::move(artifact), first, options.grad ? "forward" : "", object));
  if (options.grad)
    TERCET_RETURN_IF_ERROR(launch(target, std::move(backward), second, "backward", object));
  TERCET_RETURN_IF_ERROR(tensors.write(object));
  return object;
}

} // namespace tercet::run
