// Kernels of dW and db.
#include "LinearGradient.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

/// Where part `part` of head or pair `line` of all begins: so many numbers each.
Value partAt(GpuKernelBuilder &b, Value line, Value tokens, int64_t partRows, int64_t size) {
  Value parts = b.make<arith::CeilDivUIOp>("parts", tokens, b.constant(partRows, "part_rows"));
  Value part = b.add("part", b.mul("first_part", line, parts), b.item(0));
  return b.mul("part_at", part, b.constant(size));
}

OwningOpRef<ModuleOp> lowerSum(MLIRContext &context, const GpuProgram &program, StringRef name, StringRef parts,
                               bool ofWeight) {
  StageKernel kernel(context, program, name, {"part", "unused", "unused2"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  const std::string to = "d" + (ofWeight ? program.weight : program.bias);
  Value lines = b.size("pairs", "P");
  if (!ofWeight)
    lines = b.mul("heads", lines, b.size("heads_per_key_head", "R"));
  Value perLine = b.make<arith::CeilDivUIOp>("parts_per_line", b.size("tokens", ofWeight ? "M" : "N"),
                                             b.constant(ofWeight ? weightPartRows : biasPartRows, "part_rows"));
  int64_t cols = program.valueDim, padded = program.paddedValueDim();
  Value colStride = b.size("to_col", to + (ofWeight ? ".1" : ".0"));
  b.call("sum_parts", "weight_gradient",
         {b.integer(stageThreads), b.integer(ofWeight ? cols : 1), b.integer(cols), b.integer(padded),
          b.integer(ofWeight ? padded * padded : padded)},
         {b.item(0), b.mul("count", lines, perLine), b.pointer(b.builder.getF32Type(), "parts", parts),
          b.pointer(b.builder.getF32Type(), "to", to), ofWeight ? b.size("to_row", to + ".0") : b.constant(int64_t{0}),
          colStride});
  return kernel.finish(0);
}

} // namespace

OwningOpRef<ModuleOp> lowerWeightPart(MLIRContext &context, const GpuProgram &program, const StateShape &shape) {
  StageKernel kernel(context, program, "weight_part", {"chunk", "pair", "cols"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  Type f32 = b.builder.getF32Type();
  int64_t padded = program.paddedValueDim();
  Value keyHeads = b.size("key_heads", "HKV"), keys = b.size("keys", "M");
  Value pair = b.add("pair_of_all", b.size("first_pair", "G0"), b.item(1)), batch = b.quotient("batch", pair, keyHeads);
  Value live = b.liveTokens("live", b.pointer(b.builder.getI32Type(), "k_len", "k_len"), batch, keys);
  Value values = b.rowsOf("values", b.tensor(kernel.element(), "v", "v"), batch,
                          b.remainder("key_head", pair, keyHeads), program.valueDim);
  Value y = b.bufferRows("y", "unprojected", b.mul("y_row", b.item(1), keys), padded);
  Value at = partAt(b, pair, keys, weightPartRows, padded * padded);
  b.call("weight_part", "weight_gradient",
         {b.integer(stageThreads), b.integer(weightPartRows), b.integer(shape.partTokens), b.integer(shape.valueCols),
          b.integer(shape.sharedBytes)},
         {b.item(0), b.item(2), live, values, y, b.pointer(f32, "parts", "@weight_parts"), at}, /*shared=*/true);
  return kernel.finish(shape.sharedBytes);
}

OwningOpRef<ModuleOp> lowerBiasPart(MLIRContext &context, const GpuProgram &program) {
  StageKernel kernel(context, program, "bias_part", {"chunk", "member", "unused"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  HeadPlace place = b.placeHead(b.item(1));
  Value queries = b.size("queries", "N");
  Value live = b.liveTokens("live", b.pointer(b.builder.getI32Type(), "q_len", "q_len"), place.batch, queries);
  Value gradient =
      b.rowsOf("gradient", b.tensor(kernel.element(), "d_o", "do"), place.batch, place.head, program.valueDim);
  Value at = partAt(b, b.item(1), queries, biasPartRows, program.paddedValueDim());
  b.call("bias_part", "weight_gradient",
         {b.integer(stageThreads), b.integer(biasPartRows), b.integer(program.paddedValueDim())},
         {b.item(0), live, gradient, b.pointer(b.builder.getF32Type(), "parts", "@bias_parts"), at});
  return kernel.finish(0);
}

OwningOpRef<ModuleOp> lowerSumWeight(MLIRContext &context, const GpuProgram &program) {
  return lowerSum(context, program, "sum_weight", "@weight_parts", /*ofWeight=*/true);
}

OwningOpRef<ModuleOp> lowerSumBias(MLIRContext &context, const GpuProgram &program) {
  return lowerSum(context, program, "sum_bias", "@bias_parts", /*ofWeight=*/false);
}

} // namespace tercet::compiler
