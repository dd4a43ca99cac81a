// The select stage: classes from block scores, or handed in; both write the same lists and bits.
#include "StageKernel.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

/// Query blocks of a block of threads, a warp each.
constexpr int64_t rowsPerBlock = 8;

// Arguments from the lengths to the first pair, and the outputs: both kernels end alike.
void addSizes(StageKernel &kernel, SmallVectorImpl<Value> &inputs) {
  GpuKernelBuilder &b = kernel.b;
  Type i32 = b.builder.getI32Type();
  inputs.append({b.pointer(i32, "q_len", "q_len"), b.pointer(i32, "k_len", "k_len"), b.size("key_heads", "HKV"),
                 b.size("heads_per_key_head", "R"), b.size("rows", "N"), b.size("keys", "M"),
                 b.size("first_pair", "G0")});
}

void addOutputs(StageKernel &kernel, SmallVectorImpl<Value> &inputs) {
  GpuKernelBuilder &b = kernel.b;
  Type i32 = b.builder.getI32Type();
  bool bits = kernel.program.bits() != GpuLinearSet::none;
  inputs.append({b.pointer(i32, "lists", "@lists"), b.pointer(i32, "counts", "@counts"),
                 b.pointer(i32, "bits", bits ? "@bits" : "")});
  kernel.addTensor(inputs, "classes_out", 3);
}

} // namespace

OwningOpRef<ModuleOp> lowerSelect(MLIRContext &context, const GpuProgram &program) {
  StageKernel kernel(context, program, "select", {"part", "member", "unused"}, 32 * rowsPerBlock);
  GpuKernelBuilder &b = kernel.b;
  Type f32 = b.builder.getF32Type();
  SmallVector<Value> inputs = {b.item(0), b.item(1), b.pointer(f32, "mean_q", "@mean_q"),
                               b.pointer(f32, "mean_k", "@mean_k"), b.pointer(f32, "spare", "@scores")};
  addSizes(kernel, inputs);
  inputs.append({kernel.amount("scale", program.scale, program.defaultScale()),
                 kernel.amount("keep", program.keep.parameter, 0), kernel.amount("drop", program.drop.parameter, 0),
                 kernel.whole("min_keep", program.minKeep, 1), kernel.whole("sink", program.sink, 0)});
  addOutputs(kernel, inputs);
  // select_bytes of the device library: block means, the rules of the rows, 16384 keys.
  const int64_t bytes = 4 * (rowsPerBlock * program.headDim + 16384) + 24 * rowsPerBlock;
  b.call("select_blocks", "select",
         {b.integer(rowsPerBlock), b.integer(program.headDim), b.integer(static_cast<int64_t>(program.bits())),
          b.integer(program.blockQ), b.integer(program.blockK), b.integer(static_cast<int64_t>(program.countRule)),
          b.flag(program.keep.isCount), b.flag(program.drop.isCount), b.flag(program.diagonal),
          b.flag(program.forcedCounts), b.integer(bytes)},
         inputs, /*shared=*/true);
  return kernel.finish(bytes);
}

OwningOpRef<ModuleOp> lowerGivenClasses(MLIRContext &context, const GpuProgram &program) {
  StageKernel kernel(context, program, "given_classes", {"part", "member", "unused"}, 32 * rowsPerBlock);
  GpuKernelBuilder &b = kernel.b;
  SmallVector<Value> inputs = {b.item(0), b.item(1)};
  kernel.addTensor(inputs, "classes", 4);
  addSizes(kernel, inputs);
  addOutputs(kernel, inputs);
  b.call("given_classes", "class_row",
         {b.integer(static_cast<int64_t>(program.bits())), b.integer(program.blockQ), b.integer(program.blockK),
          b.integer(rowsPerBlock)},
         inputs);
  return kernel.finish(0);
}

} // namespace tercet::compiler
