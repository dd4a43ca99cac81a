// NvrtcWire: what the parent and the child of a compile say to each other: fields, each preceded by its 8-byte length.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace tercet::compiler {

/// Sent to the child: kernel name, text, architecture. It answers: code name (of Status; "ok"), message, PTX, cubin,
/// log, milliseconds.
inline constexpr size_t requestFields = 3, answerFields = 6;

inline std::string packFields(const std::vector<std::string> &fields) {
  std::string bytes;
  for (const std::string &field : fields) {
    uint64_t size = field.size();
    bytes.append(reinterpret_cast<const char *>(&size), sizeof size).append(field);
  }
  return bytes;
}

/// Exactly `count` fields, or none where the bytes are cut or hold more.
inline std::vector<std::string> unpackFields(std::string_view bytes, size_t count) {
  std::vector<std::string> fields;
  while (fields.size() < count) {
    uint64_t size = 0;
    if (bytes.size() < sizeof size)
      return {};
    std::memcpy(&size, bytes.data(), sizeof size);
    bytes.remove_prefix(sizeof size);
    if (bytes.size() < size)
      return {};
    fields.emplace_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return bytes.empty() ? fields : std::vector<std::string>();
}

} // namespace tercet::compiler
