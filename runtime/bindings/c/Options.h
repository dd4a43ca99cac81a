// Options: structs with their size in front, as a caller of any version may hand them in.
#pragma once

#include "Failure.h"

#include "tercet/Tensor.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace tercet::c {

/// A caller's struct of which every version had `smallest` bytes at least: whether it is there, in a size that one had.
template <typename Struct> Status checkSize(const char *name, const Struct *given, size_t smallest) {
  if (!given)
    return Status::make(Code::invalidArgument, "{} is NULL", name);
  if (size_t size = given->struct_size; size < smallest || size > 4096)
    return Status::make(Code::invalidArgument,
                        "{} has struct_size {}; it must be at least {} (begin with its _INIT value)", name, size,
                        smallest);
  return {};
}

/// The caller's struct in the size of this library: what an older caller lacks is 0; what a newer one has beyond must be 0.
/// `name` is the struct's. invalidArgument for NULL, and for a size that no version had.
template <typename Options> Result<Options> readOptions(const char *name, const Options *given, size_t smallest) {
  TERCET_RETURN_IF_ERROR(checkSize(name, given, smallest));
  size_t size = given->struct_size;
  Options options;
  std::memset(&options, 0, sizeof options);
  std::memcpy(&options, given, std::min(size, sizeof options));
  const auto *bytes = reinterpret_cast<const unsigned char *>(given);
  for (size_t at = sizeof options; at < size; ++at)
    if (bytes[at] != 0)
      return Status::make(Code::invalidArgument,
                          "{} has struct_size {} and sets what this library (version {}, size {}) does not know", name,
                          size, TERCET_VERSION_STRING, sizeof options);
  return options;
}

/// Fills in a caller's struct: as much of `value` as there is room for, its struct_size kept.
template <typename Output> Status writeOutput(const char *name, Output *to, Output value, size_t smallest) {
  TERCET_RETURN_IF_ERROR(checkSize(name, to, smallest));
  size_t size = to->struct_size;
  value.struct_size = size;
  std::memcpy(to, &value, std::min(size, sizeof value));
  return {};
}

/// nothing for a dtype that Tercet does not have.
std::optional<DType> dtypeFrom(DLDataType dtype);
DLDataType dtypeTo(DType dtype);
/// "int64", "float8 x 4": of any DLPack type.
std::string dtypeText(DLDataType dtype);

} // namespace tercet::c
