// Safetensors: the .safetensors format as it is written. Reading, which trusts nothing, is the compiler's (TensorFile.h).
#pragma once

#include "tercet/Tensor.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tercet {

/// A file of these tensors, in any strides, row-major, with data at a multiple of 64 bytes.
std::vector<uint8_t> formatSafetensors(const std::vector<std::pair<std::string, Tensor>> &tensors);

} // namespace tercet
