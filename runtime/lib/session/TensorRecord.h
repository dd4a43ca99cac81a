// TensorRecord: tensors of host memory in one .safetensors file, which the runtime writes and never reads.
#pragma once

#include "tercet/Status.h"
#include "tercet/Tensor.h"

#include <filesystem>

namespace tercet::rt {

/// Row-major copies, whatever the strides. The file is written whole or not at all.
Status writeTensorRecord(const std::filesystem::path &path, const std::vector<std::pair<std::string, Tensor>> &tensors);

} // namespace tercet::rt
