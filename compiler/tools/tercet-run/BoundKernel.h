// BoundKernel: a kernel with everything that one call needs on its device: tensors there, workspace, a stream.
#pragma once

#include "tercet/Session.h"
#include "tercet/rt/StagedCall.h"

namespace tercet::run {

/// A kernel on the CPU, a GPU or the simulator, bound to host tensors that the caller keeps. Movable.
class BoundKernel {
public:
  /// device: null for the CPU. The tensors of `host` are copied to the device now, outputs too.
  static Result<BoundKernel> bind(std::shared_ptr<Kernel> kernel, std::shared_ptr<rt::GpuDevice> device,
                                  const Arguments &host);
  BoundKernel(BoundKernel &&) noexcept = default;
  BoundKernel &operator=(BoundKernel &&) noexcept = default;
  ~BoundKernel();

  /// Runs once and waits. parameters: by name, over the bound ones.
  Result<LaunchReport> launch(const std::vector<std::pair<std::string, double>> &parameters = {});
  /// A graph of one launch; on the CPU unsupportedTarget.
  Result<std::unique_ptr<rt::GpuGraph>> capture(const std::vector<std::pair<std::string, double>> &parameters = {});
  /// Queues the graph and waits.
  Status replay(rt::GpuGraph &graph);
  /// Milliseconds of `repetitions` replays, by events.
  Result<std::vector<double>> timeReplays(rt::GpuGraph &graph, int64_t repetitions);
  /// Host tensors to the device again.
  Status upload();
  /// Outputs back to the host tensors.
  Status download();

  const Kernel &compiled() const { return *kernel; }
  size_t workspaceBytes() const { return workspaceSize; }

private:
  BoundKernel() = default;
  const Arguments &bound() const { return staged ? staged->arguments() : host; }
  Arguments with(const std::vector<std::pair<std::string, double>> &parameters) const;

  struct StreamOwner {
    std::shared_ptr<rt::GpuDevice> device;
    rt::GpuStream stream = nullptr;
    ~StreamOwner() {
      if (stream)
        device->destroyStream(stream);
    }
  };

  std::shared_ptr<Kernel> kernel;
  std::shared_ptr<rt::GpuDevice> device;
  Arguments host;
  std::optional<rt::StagedCall> staged;
  std::unique_ptr<StreamOwner> stream;
  rt::GpuMemory deviceWorkspace;
  std::unique_ptr<std::byte[]> hostWorkspace;
  void *workspace = nullptr;
  size_t workspaceSize = 0;
};

} // namespace tercet::run
