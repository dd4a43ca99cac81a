// CpuModule: machine code of an artifact, loaded into this process by the system's loader.
#pragma once

#include "tercet/Artifact.h"

#include <filesystem>
#include <memory>

namespace tercet::rt {

/// A loaded shared object; unloaded when the last reference goes.
class CpuModule {
public:
  /// Loads a shared object from memory: through an anonymous file, or, where the system refuses that, through a private
  /// file that is removed at once. compileFailed when the loader refuses the code.
  static Result<std::shared_ptr<CpuModule>> load(std::span<const uint8_t> code);
  ~CpuModule();
  CpuModule(const CpuModule &) = delete;
  CpuModule &operator=(const CpuModule &) = delete;

  /// Null when the object has no such symbol.
  CpuFunction find(const std::string &name) const;

private:
  CpuModule(void *handle, int descriptor) : handle(handle), descriptor(descriptor) {}

  void *handle;
  int descriptor;
};

} // namespace tercet::rt
