#include "TensorRecord.h"

#include "tercet/AtomicFile.h"

#include <nlohmann/json.hpp>

#include <cctype>
#include <cstring>

namespace tercet::rt {
namespace {

constexpr size_t headerAlignment = 8; // what follows it begins at such an offset

std::string safetensorsName(DType dtype) {
  std::string name(dtypeName(dtype));
  for (char &letter : name)
    letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  return name;
}

/// Appends the elements in row-major order; runs along a last axis without gaps go at once.
void appendElements(std::vector<uint8_t> &bytes, const Tensor &tensor) {
  size_t size = dtypeSize(tensor.dtype);
  auto row = static_cast<size_t>(tensor.shape[3]);
  const auto [s0, s1, s2, s3] = tensor.strides;
  for (int64_t i = 0; i < tensor.shape[0]; ++i)
    for (int64_t j = 0; j < tensor.shape[1]; ++j)
      for (int64_t k = 0; k < tensor.shape[2]; ++k) {
        const char *from =
            static_cast<const char *>(tensor.data) + (i * s0 + j * s1 + k * s2) * static_cast<int64_t>(size);
        size_t at = bytes.size();
        bytes.resize(at + row * size);
        if (s3 == 1)
          std::memcpy(bytes.data() + at, from, row * size);
        else
          for (size_t l = 0; l < row; ++l)
            std::memcpy(bytes.data() + at + l * size, from + static_cast<int64_t>(l * size) * s3, size);
      }
}

/// The same tensor with four axes, the missing ones of extent 1 in front.
Tensor withFourAxes(const Tensor &tensor) {
  Tensor result = tensor;
  for (int axis = 3; axis >= 0; --axis) {
    int from = axis - (4 - tensor.rank);
    result.shape[axis] = from < 0 ? 1 : tensor.shape[from];
    result.strides[axis] = from < 0 ? 0 : tensor.strides[from];
  }
  return result;
}

} // namespace

Status writeTensorRecord(const std::filesystem::path &path,
                         const std::vector<std::pair<std::string, Tensor>> &tensors) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  uint64_t offset = 0;
  for (const auto &[name, tensor] : tensors) {
    uint64_t end = offset + static_cast<uint64_t>(tensor.elements()) * dtypeSize(tensor.dtype);
    header[name] = {{"dtype", safetensorsName(tensor.dtype)},
                    {"shape", std::vector(tensor.shape.begin(), tensor.shape.begin() + tensor.rank)},
                    {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + headerAlignment - 1) / headerAlignment * headerAlignment, ' ');
  uint64_t length = text.size();
  std::vector<uint8_t> bytes(sizeof length);
  std::memcpy(bytes.data(), &length, sizeof length); // little-endian, as every machine that this runs on
  bytes.insert(bytes.end(), text.begin(), text.end());
  bytes.reserve(bytes.size() + offset);
  for (const auto &[name, tensor] : tensors)
    appendElements(bytes, withFourAxes(tensor));
  return writeFileAtomically(path, bytes);
}

} // namespace tercet::rt
