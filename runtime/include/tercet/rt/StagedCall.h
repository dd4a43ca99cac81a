// StagedCall: a call on host tensors, carried to a GPU and back. For tools and tests: an application keeps its tensors on
// the device. Every copy is a call of its own; none hides in a launch.
#pragma once

#include "tercet/Session.h"
#include "tercet/rt/GpuDevice.h"

namespace tercet::rt {

class StagedCall {
public:
  /// Allocates device memory for every tensor of `host`, laid out as there, and copies all of them, outputs too: what a
  /// kernel leaves unwritten stays what it was. Tensors are borrowed until the last download. A tensor without data stays
  /// absent.
  static Result<StagedCall> upload(std::shared_ptr<GpuDevice> device, const Arguments &host);

  /// The same arguments with device addresses.
  const Arguments &arguments() const { return onDevice; }
  /// Copies inputs again, after the host's values have changed.
  Status refresh();
  /// Copies the named tensors back and waits for them.
  Status download(const std::vector<std::string> &names);

private:
  struct Range {
    char *host = nullptr; ///< the lowest address of the tensor
    GpuMemory memory;
  };
  std::shared_ptr<GpuDevice> device;
  Arguments onDevice;
  std::vector<Range> ranges; ///< one per tensor; empty memory where it is absent
};

} // namespace tercet::rt
