// FileBytes: file images for the tests of the tensor formats, written field by field so that any of them may lie.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tercet::test {

inline std::vector<uint8_t> bytesOf(const std::string &text) { return {text.begin(), text.end()}; }

/// An .npy image: magic, version, the header's length (its own unless given), header, `dataBytes` bytes 0, 1, 2, ..
inline std::vector<uint8_t> npyImage(const std::string &header, size_t dataBytes, int major = 1, int64_t length = -1) {
  std::string image("\x93NUMPY", 6);
  image += static_cast<char>(major);
  image += '\0';
  uint64_t claimed = length < 0 ? header.size() : static_cast<uint64_t>(length);
  for (int i = 0; i < (major == 1 ? 2 : 4); ++i)
    image += static_cast<char>(claimed >> (8 * i));
  image += header;
  for (size_t i = 0; i < dataBytes; ++i)
    image += static_cast<char>(i);
  return bytesOf(image);
}

/// A .safetensors image, likewise.
inline std::vector<uint8_t> safetensorsImage(const std::string &header, size_t dataBytes, int64_t length = -1) {
  std::string image;
  uint64_t claimed = length < 0 ? header.size() : static_cast<uint64_t>(length);
  for (int i = 0; i < 8; ++i)
    image += static_cast<char>(claimed >> (8 * i));
  image += header;
  for (size_t i = 0; i < dataBytes; ++i)
    image += static_cast<char>(i);
  return bytesOf(image);
}

} // namespace tercet::test
