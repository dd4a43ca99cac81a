// The select stage: classes from block scores, or handed in; both write the same lists and bits, and join the lists of
// super rows where attend takes those.
#include "StageKernel.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

/// Query blocks of a block of threads, a warp each.
constexpr int64_t rowsPerBlock = 8;

// What both kernels have in common: arguments from the lengths to the first pair, the outputs, and what follows once
// these are written.
class ListArguments {
public:
  explicit ListArguments(StageKernel &kernel) : kernel(kernel), b(kernel.b), i32(b.builder.getI32Type()) {}

  void addSizes(SmallVectorImpl<Value> &inputs) {
    Value queryLengths = b.pointer(i32, "q_len", "q_len"), keyLengths = b.pointer(i32, "k_len", "k_len");
    Value keyHeads = b.size("key_heads", "HKV"), share = b.size("heads_per_key_head", "R");
    rows = b.size("rows", "N");
    keys = b.size("keys", "M");
    inputs.append({queryLengths, keyLengths, keyHeads, share, rows, keys, b.size("first_pair", "G0")});
  }

  void addOutputs(SmallVectorImpl<Value> &inputs) {
    bool bits = kernel.program.bits() != GpuLinearSet::none;
    lists = b.pointer(i32, "lists", "@lists");
    counts = b.pointer(i32, "counts", "@counts");
    inputs.append({lists, counts, b.pointer(i32, "bits", bits ? "@bits" : "")});
    kernel.addTensor(inputs, "classes_out", 3);
  }

  void joinLists() {
    Value joined = b.pointer(i32, "super_lists", "@super_lists");
    Value header = b.pointer(i32, "super_counts", "@super_counts");
    b.call("join_lists", "super_row",
           {b.integer(rowsPerBlock), b.integer(kernel.program.blockQ), b.integer(kernel.program.blockK)},
           {b.item(0), b.item(1), rows, keys, lists, counts, joined, header});
  }

private:
  StageKernel &kernel;
  GpuKernelBuilder &b;
  Type i32;
  Value rows, keys, lists, counts;
};

} // namespace

OwningOpRef<ModuleOp> lowerSelect(MLIRContext &context, const GpuProgram &program, bool superRows) {
  StageKernel kernel(context, program, "select", {"part", "member", "unused"}, 32 * rowsPerBlock);
  GpuKernelBuilder &b = kernel.b;
  Type f32 = b.builder.getF32Type();
  SmallVector<Value> inputs = {b.item(0), b.item(1), b.pointer(f32, "mean_q", "@mean_q"),
                               b.pointer(f32, "mean_k", "@mean_k"), b.pointer(f32, "spare", "@scores")};
  ListArguments arguments(kernel);
  arguments.addSizes(inputs);
  inputs.append({kernel.amount("scale", program.scale, program.defaultScale()),
                 kernel.amount("keep", program.keep.parameter, 0), kernel.amount("drop", program.drop.parameter, 0),
                 kernel.whole("min_keep", program.minKeep, 1), kernel.whole("sink", program.sink, 0)});
  arguments.addOutputs(inputs);
  // select_bytes of the device library: block means, the rules of the rows, 16384 keys.
  const int64_t bytes = 4 * (rowsPerBlock * program.headDim + 16384) + 24 * rowsPerBlock;
  b.call("select_blocks", "select",
         {b.integer(rowsPerBlock), b.integer(program.headDim), b.integer(static_cast<int64_t>(program.bits())),
          b.integer(program.blockQ), b.integer(program.blockK), b.integer(static_cast<int64_t>(program.countRule)),
          b.flag(program.keep.isCount), b.flag(program.drop.isCount), b.flag(program.diagonal),
          b.flag(program.forcedCounts), b.integer(bytes)},
         inputs, /*shared=*/true);
  if (superRows)
    arguments.joinLists();
  return kernel.finish(bytes);
}

OwningOpRef<ModuleOp> lowerGivenClasses(MLIRContext &context, const GpuProgram &program, bool superRows) {
  StageKernel kernel(context, program, "given_classes", {"part", "member", "unused"}, 32 * rowsPerBlock);
  GpuKernelBuilder &b = kernel.b;
  SmallVector<Value> inputs = {b.item(0), b.item(1)};
  kernel.addTensor(inputs, "classes", 4);
  ListArguments arguments(kernel);
  arguments.addSizes(inputs);
  arguments.addOutputs(inputs);
  b.call("given_classes", "class_row",
         {b.integer(static_cast<int64_t>(program.bits())), b.integer(program.blockQ), b.integer(program.blockK),
          b.integer(rowsPerBlock)},
         inputs);
  if (superRows)
    arguments.joinLists();
  return kernel.finish(0);
}

} // namespace tercet::compiler
