// MappedFile: a whole file as memory, private and writable, unmapped with the last owner.
#pragma once

#include "tercet/Status.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace tercet::compiler {

class MappedFile {
public:
  /// invalidArgument with the system's reason, or when the path is no regular file or is empty.
  static Result<std::shared_ptr<MappedFile>> open(const std::string &path);
  ~MappedFile();
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;

  std::span<const uint8_t> bytes() const { return {base, size}; }
  uint8_t *data() const { return base; }

private:
  MappedFile(uint8_t *base, size_t size) : base(base), size(size) {}
  uint8_t *base;
  size_t size;
};

} // namespace tercet::compiler
