// FileFormats: the two tensor file formats as headers read from bytes and bytes made from tensors. No file access here,
// so that tests and fuzzers feed them memory.
#pragma once

#include "tercet/Safetensors.h"
#include "tercet/TensorRows.h"
#include "tercet/compiler/TensorFile.h"

#include <optional>
#include <span>
#include <string_view>

namespace tercet::compiler {

/// Where a tensor lies in a file. strides are implied: row-major, or column-major where `fortranOrder`.
struct TensorLocation {
  DType dtype = DType::f32;
  std::vector<int64_t> shape;
  bool fortranOrder = false;
  size_t offset = 0, bytes = 0; ///< within the file, checked to lie inside it
};

/// The byte count of a shape; nothing when a size is negative or the product does not fit 62 bits.
std::optional<int64_t> byteCount(const std::vector<int64_t> &shape, size_t elementSize);

/// "[2, 4, 300, 64]"
std::string shapeText(const std::vector<int64_t> &shape);

/// Refuses rank above 4 and shapes without an element: no Tercet tensor has them.
Status checkUsable(const std::vector<int64_t> &shape);

/// The header of an .npy file, versions 1.0, 2.0 and 3.0. Messages name no file: the caller does.
Result<TensorLocation> parseNpy(std::span<const uint8_t> file);
/// A version 1.0 file with data at a multiple of 64 bytes; not for bf16.
std::vector<uint8_t> formatNpy(const Tensor &tensor);

/// One tensor of a .safetensors file. Every entry of the header is checked, not only the wanted one. An empty name
/// takes the only tensor there is.
Result<TensorLocation> parseSafetensors(std::span<const uint8_t> file, const std::string &name);

/// The tensor at a location of a file in memory, which `owner` keeps there: a view of the file, or a copy where the file
/// has it in an order or at an alignment that kernels cannot take.
Result<StoredTensor> tensorAt(uint8_t *file, std::shared_ptr<void> owner, const TensorLocation &location);

} // namespace tercet::compiler
