// Which specs are dense attention, and with which sizes a GPU kernel exists.
#include "tercet/compiler/cuda/GpuLowering.h"

using namespace mlir;

namespace tercet::compiler {

Result<DenseProgram> readDenseSpec(ir::SpecOp spec, int64_t headDim, int64_t valueDim, DType dtype) {
  ir::SparseOp attention;
  for (Operation &op : spec.getBody().front().without_terminator()) {
    if (isa<ir::ParamOp>(op))
      continue;
    auto sparse = dyn_cast<ir::SparseOp>(op);
    if (!sparse || sparse.getClasses() || attention)
      return Status::make(Code::unsupportedTarget,
                          "'{}' of @{} has no CUDA kernel; CUDA is generated for specs that are one tercet.sparse over "
                          "all blocks",
                          op.getName().getStringRef().str(), spec.getSymName().str());
    attention = sparse;
  }
  if (!attention)
    return Status::make(Code::unsupportedTarget, "@{} has no tercet.sparse, which is what CUDA is generated for",
                        spec.getSymName().str());
  if (dtype != DType::bf16 && dtype != DType::f16)
    return Status::make(Code::unsupportedTarget, "CUDA kernels take bf16 or f16, not {}", dtypeName(dtype));
  for (int64_t size : {headDim, valueDim})
    if (size < 8 || size > 256 || size % 8 != 0)
      return Status::make(
          Code::unsupportedTarget,
          "CUDA kernels take head dimensions from 8 to 256 in steps of 8 (rows of 16-byte chunks), not {}; "
          "the nearest is {}",
          size, std::clamp<int64_t>((size + 4) / 8 * 8, 8, 256));
  DenseProgram program;
  program.headDim = headDim;
  program.valueDim = valueDim;
  program.dtype = dtype;
  if (Value scale = attention.getScale())
    program.scale = ir::paramOf(scale).getName().str();
  return program;
}

} // namespace tercet::compiler
