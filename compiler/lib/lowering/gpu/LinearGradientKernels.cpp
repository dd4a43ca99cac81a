// Kernels of the gradients of a linear branch: each wires a function of the device library.
#include "LinearGradient.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

/// A kernel of blocks of warps of 16 rows: of queries of a head, or of keys of a pair.
class RowsKernel : public StageKernel {
public:
  RowsKernel(MLIRContext &context, const GpuProgram &program, StringRef name, bool ofKeys)
      : StageKernel(context, program, name, {"block", ofKeys ? "pair" : "member", "unused"}, stageThreads),
        ofKeys(ofKeys) {
    member = b.item(1);
    if (ofKeys) {
      Value keyHeads = b.size("key_heads", "HKV"), pair = b.add("pair_of_all", b.size("first_pair", "G0"), member);
      batch = b.quotient("batch", pair, keyHeads);
      head = b.remainder("key_head", pair, keyHeads);
    } else {
      HeadPlace at = b.placeHead(member);
      group = at.group;
      batch = at.batch;
      head = at.head;
      headsPerKeyHead = at.headsPerKeyHead;
    }
    rows = b.size(ofKeys ? "keys" : "queries", ofKeys ? "M" : "N");
    live = b.liveTokens(
        "live", b.pointer(b.builder.getI32Type(), ofKeys ? "k_len" : "q_len", ofKeys ? "k_len" : "q_len"), batch, rows);
    row = b.mul("row", b.item(0), b.constant(stageThreads / 2, "block_rows"));
  }

  /// Rows of a tensor of tokens.
  Value tensor(StringRef name, StringRef symbol, int64_t cols) {
    return b.rowsOf((name + "_rows").str(), b.tensor(element(), name, symbol), batch, head, cols);
  }
  /// Rows of f32 in the workspace.
  Value buffer(const std::string &name, int64_t cols) {
    return b.bufferRows(name + "_rows", name, b.mul(name + "_row", member, rows), cols);
  }
  /// A row of value columns per pair of the group.
  Value rowOfPair(const std::string &name) {
    return b.bufferRows(name + "_row", name, ofKeys ? member : group, program.paddedValueDim());
  }
  /// Where a gradient goes: to the tensor, or beside a softmax branch to the workspace.
  Value gradient(const std::string &name, int64_t cols) {
    bool added = program.attends.back().exact;
    return added ? buffer("linear_" + name, (cols + 15) / 16 * 16) : tensor(name, name, cols);
  }
  Value blocksOf(StringRef name, Value tokens, int64_t block) {
    return b.make<arith::CeilDivUIOp>(name, tokens, b.constant(block, (name + "_size").str()));
  }
  Value states(StringRef name, StringRef symbol) { return b.pointer(b.builder.getF32Type(), name, symbol); }
  Value columns() { return b.constant(program.stateColumns(), "state_columns"); }
  Attribute map() { return b.integer(static_cast<int64_t>(program.featureMap)); }

  bool ofKeys;
  Value member, group, batch, head, headsPerKeyHead, rows, live, row;
};

} // namespace

OwningOpRef<ModuleOp> lowerValueCentre(MLIRContext &context, const GpuProgram &program) {
  RowsKernel kernel(context, program, "value_centre", /*ofKeys=*/true);
  GpuKernelBuilder &b = kernel.b;
  bool projects = !program.weight.empty();
  Value centre = kernel.rowOfPair("centres");
  b.call("value_centre", "centred_rows", {b.integer(stageThreads), b.integer(centreSamples)},
         {kernel.tensor("v", "v", program.valueDim), kernel.live, kernel.states("weight", projects ? "@weight" : ""),
          centre, projects ? kernel.rowOfPair("projected_centres") : centre});
  return kernel.finish(0);
}

OwningOpRef<ModuleOp> lowerQueryGradient(MLIRContext &context, const GpuProgram &program) {
  RowsKernel kernel(context, program, "query_gradient", /*ofKeys=*/false);
  GpuKernelBuilder &b = kernel.b;
  Value pairs = b.size("pairs", "G"), first, all;
  if (program.globalState()) {
    first = kernel.group;
    all = pairs;
  } else {
    Value blocks = kernel.blocksOf("query_blocks", kernel.rows, program.blockQ);
    first = b.mul("first_state", kernel.member, blocks);
    all = b.mul("all_states", b.mul("heads", pairs, kernel.headsPerKeyHead), blocks);
  }
  Value eps = program.eps.empty()
                  ? b.constant(0.0f)
                  : b.make<arith::TruncFOp>("eps_f32", b.builder.getF32Type(), b.number("eps", "param." + program.eps));
  b.call("query_gradient", "query_gradient", {kernel.map(), b.integer(program.globalState() ? 0 : program.blockQ)},
         {kernel.row, kernel.rows, kernel.live, kernel.tensor("q", "q", program.headDim),
          kernel.tensor("d_o", "do", program.valueDim), kernel.states("states", "@state"), first,
          b.mul("plane", all, kernel.columns()), eps,
          kernel.rowOfPair(program.weight.empty() ? "centres" : "projected_centres"), kernel.buffer("reciprocals", 1),
          kernel.buffer("linear_sums", 1), kernel.gradient("dq", program.headDim)});
  return kernel.finish(0);
}

OwningOpRef<ModuleOp> lowerQueryStates(MLIRContext &context, const GpuProgram &program, const StateShape &shape) {
  RowsKernel kernel(context, program, "query_states", /*ofKeys=*/false);
  GpuKernelBuilder &b = kernel.b;
  Value heads = b.mul("heads", b.size("pairs", "G"), kernel.headsPerKeyHead);
  b.call("query_states", "query_states",
         {b.integer(stageThreads), kernel.map(), b.integer(program.queryStateBlock()), b.integer(shape.partTokens),
          b.integer(shape.valueCols), b.integer(shape.sharedBytes)},
         {b.item(0), kernel.member, b.item(2), heads,
          kernel.blocksOf("query_blocks", kernel.rows, program.queryStateBlock()), kernel.live,
          kernel.tensor("q", "q", program.headDim), kernel.tensor("d_o", "do", program.valueDim),
          kernel.buffer("reciprocals", 1), kernel.buffer("linear_sums", 1), kernel.states("states", "@query_states")},
         /*shared=*/true);
  return kernel.finish(shape.sharedBytes);
}

OwningOpRef<ModuleOp> lowerTransposeBits(MLIRContext &context, const GpuProgram &program) {
  StageKernel kernel(context, program, "transpose_bits", {"part", "word", "pair"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  Type i32 = b.builder.getI32Type();
  auto blocks = [&](StringRef name, StringRef symbol, int64_t block) {
    return b.make<arith::CeilDivUIOp>(name, b.size((name + "_tokens").str(), symbol), b.constant(block));
  };
  Value lines = b.mul("lines", b.size("heads_per_key_head", "R"), blocks("query_blocks", "N", program.blockQ));
  b.call("transpose_bits", "transpose_bits", {b.integer(stageThreads)},
         {b.item(0), b.item(1), b.item(2), lines, blocks("key_blocks", "M", program.blockK),
          b.pointer(i32, "bits", "@bits"), b.pointer(i32, "to", "@key_bits")});
  return kernel.finish(0);
}

OwningOpRef<ModuleOp> lowerProjectValues(MLIRContext &context, const GpuProgram &program) {
  RowsKernel kernel(context, program, "project_values", /*ofKeys=*/true);
  GpuKernelBuilder &b = kernel.b;
  b.call("project_centred", "project_rows", {kernel.elementAttribute(), b.integer(program.paddedValueDim())},
         {kernel.row, kernel.rows, kernel.live, kernel.tensor("v", "v", program.valueDim), kernel.rowOfPair("centres"),
          kernel.states("weight", "@weight"), kernel.buffer("projected", program.paddedValueDim())});
  return kernel.finish(0);
}

OwningOpRef<ModuleOp> lowerKeyGradient(MLIRContext &context, const GpuProgram &program) {
  RowsKernel kernel(context, program, "key_gradient", /*ofKeys=*/true);
  GpuKernelBuilder &b = kernel.b;
  Value pairs = b.size("pairs", "G"), first = kernel.member, all = pairs;
  if (!program.globalState()) {
    Value blocks = kernel.blocksOf("key_blocks", kernel.rows, program.blockK);
    first = b.mul("first_state", kernel.member, blocks);
    all = b.mul("all_states", pairs, blocks);
  }
  bool projects = !program.weight.empty();
  int64_t padded = program.paddedValueDim();
  SmallVector<Value> inputs = {kernel.row, kernel.rows, kernel.live, kernel.tensor("k", "k", program.headDim)};
  if (projects)
    inputs.push_back(kernel.buffer("projected", padded)); // it is centred
  else
    inputs.append({kernel.tensor("v", "v", program.valueDim), kernel.rowOfPair("centres")});
  inputs.append({kernel.states("states", "@key_states"), first, b.mul("plane", all, kernel.columns()),
                 kernel.gradient("dk", program.headDim),
                 projects ? kernel.buffer("unprojected", padded) : kernel.gradient("dv", program.valueDim)});
  b.call(projects ? "key_gradient" : "centred_key_gradient", "key_gradient",
         {kernel.map(), b.integer(program.globalState() ? 0 : program.blockK)}, inputs);
  return kernel.finish(0);
}

OwningOpRef<ModuleOp> lowerProjectGradient(MLIRContext &context, const GpuProgram &program) {
  RowsKernel kernel(context, program, "project_gradient", /*ofKeys=*/true);
  GpuKernelBuilder &b = kernel.b;
  b.call("project_rows", "project_rows", {kernel.elementAttribute(), b.integer(program.paddedValueDim())},
         {kernel.row, kernel.rows, kernel.live, kernel.buffer("unprojected", program.paddedValueDim()),
          kernel.states("weight", "@weight_t"), kernel.gradient("dv", program.valueDim)});
  return kernel.finish(0);
}

} // namespace tercet::compiler
