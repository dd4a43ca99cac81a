// TensorFile: tensors in and out of .npy (versions 1 to 3) and .safetensors files.
//
// Reading maps the file; the tensor's memory is the mapping itself unless the file stores it in an order or at an
// alignment that kernels cannot take, in which case it is a copy. Nothing in a file is trusted: header sizes, ranks and
// size products are bounded before use, and offsets must tile the file exactly. Writing goes aside and is renamed, so
// that a path holds the old file or the whole new one.
#pragma once

#include "tercet/Status.h"
#include "tercet/Tensor.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tercet::compiler {

/// A tensor with its memory: row-major, at least one element, rank 0 to 4. Copies share the memory, which is writable
/// (a mapping is private: changes never reach the file).
struct StoredTensor {
  Tensor view;
  std::shared_ptr<void> memory;
  std::string origin; ///< the reference it was read from, for messages; empty for tensors made here

  /// Row-major, 64-byte aligned, zero-filled.
  static Result<StoredTensor> allocate(DType dtype, const std::vector<int64_t> &shape);
};

/// FILE.npy, FILE.safetensors or FILE.safetensors:TENSOR (the name may be left out where the file holds one tensor).
struct TensorReference {
  enum class Format { npy, safetensors };
  std::string path, tensor;
  Format format = Format::npy;

  /// invalidArgument on another extension, or on a tensor name after an .npy file.
  static Result<TensorReference> parse(const std::string &text);
};

/// Reads one tensor; f32, f16, f64, i8, i32 and, from .safetensors, bf16. Fortran order is transposed to row-major.
/// invalidArgument with the file and what is wrong in it.
Result<StoredTensor> readTensor(const std::string &reference);

/// Tensors by name for one file: one for .npy (which has no bf16), any number for .safetensors. Views may be strided.
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;
Status writeTensors(const std::string &path, const NamedTensors &tensors);

/// Whether `writeTensors` could write there: known extension, an existing, writable directory. For finding out before a
/// long computation rather than after; `dtype` is that of the tensor to come.
Status checkWritable(const std::string &path, DType dtype);

/// A row-major copy in another dtype, rounded to nearest even. Any strides in the source.
Result<StoredTensor> convertTensor(const Tensor &source, DType dtype);

} // namespace tercet::compiler
