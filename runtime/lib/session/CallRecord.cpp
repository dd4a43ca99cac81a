#include "CallRecord.h"

#include "tercet/AtomicFile.h"
#include "tercet/Log.h"
#include "tercet/Safetensors.h"

#include <nlohmann/json.hpp>

#include <atomic>
#include <unistd.h>

namespace tercet::rt {
namespace {

namespace fs = std::filesystem;

/// Names no other record of this process or of others has: "sla-03ac61f2-4711-0".
std::string recordName(const Artifact &artifact) {
  static std::atomic<int> count{0};
  return fmt::format("{}-{}-{}-{}", artifact.specName, artifact.specDigest.substr(0, 8), getpid(), count.fetch_add(1));
}

class RecordedKernel final : public Kernel {
public:
  RecordedKernel(std::shared_ptr<Kernel> kernel, std::string target, fs::path directory)
      : kernel(std::move(kernel)), target(std::move(target)), directory(std::move(directory)) {}

  const Artifact &artifact() const override { return kernel->artifact(); }
  const TargetModule &module() const override { return kernel->module(); }
  Result<size_t> workspaceBytes(const Arguments &arguments) const override { return kernel->workspaceBytes(arguments); }

  Status launch(const Arguments &arguments, void *workspace, size_t bytes, LaunchReport *report) const override {
    return around(arguments, [&] { return kernel->launch(arguments, workspace, bytes, report); });
  }
  Status enqueue(const Arguments &arguments, void *workspace, size_t bytes, void *stream) const override {
    return around(arguments, [&] { return kernel->enqueue(arguments, workspace, bytes, stream); });
  }

private:
  /// A call that the kernel refuses is not one that can be recorded: its tensors may be anything.
  template <typename Launch> Status around(const Arguments &arguments, Launch launch) const {
    if (isWritten.load(std::memory_order_relaxed) || !kernel->workspaceBytes(arguments).ok() ||
        isWritten.exchange(true))
      return launch();
    fs::path folder = directory / recordName(artifact());
    bool hasTensors = !module().isGpu();
    warnOf(writeBefore(folder, arguments, hasTensors), folder);
    Status status = launch();
    if (status.ok() && hasTensors)
      warnOf(writeFileAtomically(folder / "outputs.safetensors", formatSafetensors(tensorsOf(arguments, true))),
             folder);
    return status;
  }

  static void warnOf(const Status &status, const fs::path &folder) {
    if (!status.ok())
      log(LogLevel::warn, "the call is not recorded in {}: {}", folder.string(), status.message());
  }

  std::vector<std::pair<std::string, Tensor>> tensorsOf(const Arguments &arguments, bool outputs) const {
    std::vector<std::pair<std::string, Tensor>> chosen;
    for (const PlanArgument &argument : artifact().signature().arguments)
      if (const Tensor *tensor = arguments.find(argument.name); tensor && tensor->data && argument.isOutput == outputs)
        chosen.emplace_back(argument.name, *tensor);
    return chosen;
  }

  Status writeBefore(const fs::path &folder, const Arguments &arguments, bool hasTensors) const {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error)
      return Status::make(Code::invalidArgument, "cannot make the directory: {}", error.message());
    TERCET_RETURN_IF_ERROR(artifact().save(folder / "kernel.tercet"));
    std::string call = callText(arguments);
    TERCET_RETURN_IF_ERROR(
        writeFileAtomically(folder / "call.json", {reinterpret_cast<const uint8_t *>(call.data()), call.size()}));
    if (!hasTensors)
      return {};
    return writeFileAtomically(folder / "inputs.safetensors", formatSafetensors(tensorsOf(arguments, false)));
  }

  std::string callText(const Arguments &arguments) const {
    using Json = nlohmann::ordered_json;
    Json tensors = Json::object(), parameters = Json::object();
    for (const auto &[name, tensor] : arguments.tensors)
      if (tensor.rank > 0)
        tensors[name] = {{"dtype", dtypeName(tensor.dtype)},
                         {"shape", std::vector(tensor.shape.begin(), tensor.shape.begin() + tensor.rank)},
                         {"strides", std::vector(tensor.strides.begin(), tensor.strides.begin() + tensor.rank)}};
    for (const auto &[name, value] : arguments.parameters)
      parameters[name] = value;
    Json call = {{"spec", artifact().specName}, {"compiler", artifact().compiler},     {"target", target},
                 {"module", module().target},   {"parameters", std::move(parameters)}, {"tensors", std::move(tensors)}};
    return call.dump(2) + "\n";
  }

  std::shared_ptr<Kernel> kernel;
  std::string target;
  fs::path directory;
  mutable std::atomic<bool> isWritten{false};
};

} // namespace

std::shared_ptr<Kernel> recorded(std::shared_ptr<Kernel> kernel, std::string target, fs::path directory) {
  return std::make_shared<RecordedKernel>(std::move(kernel), std::move(target), std::move(directory));
}

} // namespace tercet::rt
