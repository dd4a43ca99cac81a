#include "tercet/Safetensors.h"

#include "tercet/TensorRows.h"

#include <nlohmann/json.hpp>

#include <cctype>
#include <cstring>

namespace tercet {

void appendElements(const Tensor &tensor, std::vector<uint8_t> &bytes) {
  size_t size = dtypeSize(tensor.dtype), position = bytes.size();
  bytes.resize(position + static_cast<size_t>(tensor.elements()) * size);
  forEachRow(tensor, [&](const char *row, int64_t stride, int64_t length) {
    size_t count = static_cast<size_t>(length);
    if (stride == 1 || length == 1)
      std::memcpy(bytes.data() + position, row, count * size);
    else
      for (size_t i = 0; i < count; ++i)
        std::memcpy(bytes.data() + position + i * size,
                    row + static_cast<int64_t>(i) * stride * static_cast<int64_t>(size), size);
    position += count * size;
  });
}

std::vector<uint8_t> formatSafetensors(const std::vector<std::pair<std::string, Tensor>> &tensors) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  size_t position = 0;
  for (const auto &[name, tensor] : tensors) {
    std::string dtype(dtypeName(tensor.dtype));
    for (char &letter : dtype)
      letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    size_t end = position + static_cast<size_t>(tensor.elements()) * dtypeSize(tensor.dtype);
    header[name] = {{"dtype", dtype},
                    {"shape", std::vector<int64_t>(tensor.shape.begin(), tensor.shape.begin() + tensor.rank)},
                    {"data_offsets", {position, end}}};
    position = end;
  }
  std::string text = header.dump();
  text.append((64 - (8 + text.size()) % 64) % 64, ' '); // data at a multiple of 64 bytes
  std::vector<uint8_t> bytes;
  bytes.reserve(8 + text.size() + position);
  for (int i = 0; i < 8; ++i)
    bytes.push_back(static_cast<uint8_t>(text.size() >> (8 * i)));
  bytes.insert(bytes.end(), text.begin(), text.end());
  for (const auto &[name, tensor] : tensors)
    appendElements(tensor, bytes);
  return bytes;
}

} // namespace tercet
