// The GPU implementation of Kernel: immutable, so launches on several streams and from several threads share nothing.
#include "tercet/rt/GpuKernel.h"

#include "GpuExecutor.h"

#include <fmt/ranges.h>

namespace tercet::rt {
namespace {

constexpr size_t bufferAlignment = 128; // of workspace buffers: a line of the GPU's caches
constexpr int64_t tensorAlignment = 16; // bytes that kernels copy at once

/// Events around the stages of one launch.
class StageTimer {
public:
  StageTimer(GpuDevice &device, GpuStream stream) : device(device), stream(stream) {}
  ~StageTimer() {
    for (auto &[stage, event] : marks)
      device.destroyEvent(event);
  }
  StageTimer(const StageTimer &) = delete;
  StageTimer &operator=(const StageTimer &) = delete;

  Status mark(size_t stage) {
    TERCET_TRY(GpuEvent event, device.createEvent());
    marks.emplace_back(stage, event);
    return device.record(event, stream);
  }

  /// After the stream has been waited for.
  Status read(const std::vector<std::string> &stages, LaunchReport &report) {
    std::vector<double> ms(stages.size());
    for (size_t index = 0; index + 1 < marks.size(); ++index) {
      TERCET_TRY(double elapsed, device.elapsedMs(marks[index].second, marks[index + 1].second));
      ms[marks[index].first] += elapsed;
      report.totalMs += elapsed;
    }
    for (size_t stage = 0; stage < stages.size(); ++stage)
      report.stageMs.emplace_back(stages[stage], ms[stage]);
    return {};
  }

private:
  GpuDevice &device;
  GpuStream stream;
  std::vector<std::pair<size_t, GpuEvent>> marks;
};

class GpuKernel final : public Kernel {
public:
  GpuKernel(std::shared_ptr<const Artifact> artifact, size_t module, Program program, std::shared_ptr<GpuDevice> device,
            std::vector<std::unique_ptr<GpuImage>> images, std::vector<std::shared_ptr<const GpuFunction>> functions)
      : shared(std::move(artifact)), chosen(shared->modules[module]), program(std::move(program)),
        device(std::move(device)), images(std::move(images)), functions(std::move(functions)) {}

  const Artifact &artifact() const override { return *shared; }
  const TargetModule &module() const override { return chosen; }

  Result<size_t> workspaceBytes(const Arguments &arguments) const override {
    TERCET_TRY(Frame frame, build(arguments, BindMode::shapesOnly));
    return frame.workspaceBytes;
  }

  Status launch(const Arguments &arguments, void *workspace, size_t workspaceBytes,
                LaunchReport *report) const override {
    StageTimer timer(*device, nullptr);
    std::function<Status(size_t)> mark;
    if (report)
      mark = [&](size_t stage) { return timer.mark(stage); };
    TERCET_RETURN_IF_ERROR(queue(arguments, workspace, workspaceBytes, nullptr, std::move(mark)));
    TERCET_RETURN_IF_ERROR(device->synchronize(nullptr));
    if (!report)
      return {};
    *report = {};
    return timer.read(program.stages, *report);
  }

  Status enqueue(const Arguments &arguments, void *workspace, size_t workspaceBytes, void *stream) const override {
    return queue(arguments, workspace, workspaceBytes, stream, {});
  }

private:
  Result<Frame> build(const Arguments &arguments, BindMode mode) const {
    return Frame::build(*shared, chosen.plan, program, arguments,
                        {mode, static_cast<int>(device->properties().multiprocessors), bufferAlignment});
  }

  Status queue(const Arguments &arguments, void *workspace, size_t bytes, GpuStream stream,
               std::function<Status(size_t)> stageBegins) const {
    TERCET_TRY(Frame frame, build(arguments, BindMode::onDevice));
    TERCET_RETURN_IF_ERROR(checkAlignment(frame.bound));
    if (bytes < frame.workspaceBytes)
      return Status::make(Code::invalidArgument, "the workspace has {} bytes; these tensors need {}", bytes,
                          frame.workspaceBytes);
    if (frame.workspaceBytes > 0 && (!workspace || reinterpret_cast<uintptr_t>(workspace) % bufferAlignment != 0))
      return Status::make(Code::invalidArgument,
                          "the workspace has the address {}; on a GPU it must be a multiple of {}", workspace,
                          bufferAlignment);
    return enqueueProgram({program, chosen.plan, chosen.kernels, functions, *device, static_cast<char *>(workspace),
                           stream, std::move(stageBegins)},
                          frame);
  }

  /// Kernels move tokens in 16-byte chunks.
  Status checkAlignment(const BoundArguments &bound) const {
    using Role = PlanArgument::Role;
    for (size_t index = 0; index < bound.tensors.size(); ++index) {
      const PlanArgument &argument = chosen.plan.arguments[index];
      const Tensor &tensor = bound.tensors[index];
      bool isTokens = argument.role == Role::query || argument.role == Role::key || argument.role == Role::value ||
                      argument.role == Role::output;
      if (!isTokens || tensor.rank == 0)
        continue;
      if (reinterpret_cast<uintptr_t>(tensor.data) % tensorAlignment != 0)
        return Status::make(Code::invalidArgument,
                            "'{}' has the address {}; on a GPU it must be a multiple of {} bytes", argument.name,
                            tensor.data, tensorAlignment);
      for (int axis = 0; axis + 1 < tensor.rank; ++axis)
        if (tensor.strides[axis] * static_cast<int64_t>(dtypeSize(tensor.dtype)) % tensorAlignment != 0)
          return Status::make(Code::invalidArgument,
                              "'{}' has stride {} along dimension {}, which is {} bytes; on a GPU strides must be "
                              "multiples of {} bytes",
                              argument.name, tensor.strides[axis], axis,
                              tensor.strides[axis] * static_cast<int64_t>(dtypeSize(tensor.dtype)), tensorAlignment);
    }
    return {};
  }

  std::shared_ptr<const Artifact> shared;
  const TargetModule &chosen;
  Program program;
  std::shared_ptr<GpuDevice> device;
  std::vector<std::unique_ptr<GpuImage>> images;
  std::vector<std::shared_ptr<const GpuFunction>> functions;
};

std::string targetsOf(const Artifact &artifact) {
  std::vector<std::string> targets;
  for (const TargetModule &module : artifact.modules)
    targets.push_back(module.target);
  return fmt::format("{}", fmt::join(targets, ", "));
}

} // namespace

Result<std::shared_ptr<Kernel>> loadGpuKernel(std::shared_ptr<const Artifact> artifact,
                                              std::shared_ptr<GpuDevice> device) {
  int index = chooseGpuModule(*artifact, device->properties());
  if (index < 0)
    return Status::make(Code::unsupportedTarget, "the artifact has no code that '{}' ({}) can run; it has: {}",
                        device->properties().target, device->properties().architecture, targetsOf(*artifact));
  const TargetModule &module = artifact->modules[static_cast<size_t>(index)];
  std::vector<std::unique_ptr<GpuImage>> images;
  std::vector<std::shared_ptr<const GpuFunction>> functions;
  KernelTable table;
  for (const KernelInfo &kernel : module.kernels) {
    const GpuKernelInfo &gpu = kernel.gpu;
    if (gpu.staticSharedBytes + gpu.dynamicSharedBytes > device->properties().sharedBytesPerBlock)
      return Status::make(Code::unsupportedTarget, "kernel {} needs {} bytes of shared memory; '{}' has {} per block",
                          kernel.name, gpu.staticSharedBytes + gpu.dynamicSharedBytes, device->properties().target,
                          device->properties().sharedBytesPerBlock);
    bool native = device->properties().runsCubin && !gpu.cubin.empty();
    std::span<const uint8_t> text(reinterpret_cast<const uint8_t *>(gpu.ptx.data()), gpu.ptx.size());
    TERCET_TRY(std::unique_ptr<GpuImage> image, device->load(native ? std::span(gpu.cubin) : text));
    TERCET_TRY(std::shared_ptr<const GpuFunction> function, image->find(kernel.name, gpu.dynamicSharedBytes));
    table[kernel.name] = {nullptr, 0, static_cast<int>(functions.size())};
    images.push_back(std::move(image));
    functions.push_back(std::move(function));
  }
  TERCET_TRY(Program program, Program::build(module.plan, table));
  return std::shared_ptr<Kernel>(std::make_shared<GpuKernel>(std::move(artifact), static_cast<size_t>(index),
                                                             std::move(program), std::move(device), std::move(images),
                                                             std::move(functions)));
}

} // namespace tercet::rt
