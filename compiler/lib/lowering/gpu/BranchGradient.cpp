#include "BranchGradient.h"

#include "GpuPairScope.h"
#include "GradientKernel.h"
#include "GradientStages.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

constexpr int64_t rowsPerBlock32 = stageThreads / 32; ///< row_of_thread of the device library

Expr heads() { return sym("G") * sym("R"); }

/// Of a kernel whose warps have a row and 32 columns each.
std::array<Expr, 3> gridOf(const Expr &rows, const Expr &owners, int64_t cols) {
  return {ceildiv(rows, rowsPerBlock32), owners, (cols + 31) / 32};
}

const std::string schedule = "row and 32 columns per warp";

/// Gradients of pools that a pass makes, or sums: d and the name of what they are of.
struct SideGradient {
  std::string name;
  bool isKey;
  int64_t cols, width; ///< width: of rows in buffers
};

SmallVector<SideGradient> gradientsOf(const GpuProgram &program, bool ofKeys) {
  if (!ofKeys)
    return {{"dq", false, program.headDim, program.paddedHeadDim()}};
  return {{"dk", true, program.headDim, program.paddedHeadDim()},
          {"dv", true, program.valueDim, program.paddedValueDim()}};
}

/// Arguments that say where a head of the group stands.
void addPlaces(GpuKernelBuilder &b, SmallVectorImpl<Value> &inputs, bool isKey) {
  inputs.append({b.size("key_heads", "HKV"),
                 isKey ? b.constant(int64_t{1}, "heads_per_key_head") : b.size("heads_per_key_head", "R")});
  inputs.append({b.size("tokens", isKey ? "M" : "N"), b.size("first_pair", "G0")});
}

class GateKernel {
public:
  GateKernel(MLIRContext &context, const GpuProgram &program, const GradientPass &pass)
      : kernel(context, program, "gate_" + pass.rows->name, {"part", "member", "chunk"}, stageThreads), b(kernel.b),
        program(program), pass(pass), scope(b) {}

  OwningOpRef<ModuleOp> build() {
    Type index = b.builder.getIndexType();
    StridedTensor from = b.tensor(kernel.element(), "d_o", "do");
    at = b.placeHead(b.item(1));
    auto [rows, live] = scope.startHead(at.batch, program.order.has_value());
    Value thread = b.compute("thread", index, "thread_index", "thread", {}, {}), lanes = b.constant(int64_t{32});
    row = b.add("row", b.mul("first_row", b.item(0), b.constant(rowsPerBlock32)), b.quotient("warp", thread, lanes));
    col = b.add("col", b.mul("first_col", b.item(2), lanes), b.remainder("lane", thread, lanes));
    bool sumsRows = pass.rows->poolsQueries();
    const std::string buffer = pass.prefixOfRows() + (sumsRows ? "gated" : "do");
    Value to = b.pointer(sumsRows ? b.builder.getF32Type() : kernel.element(), "gated", "@" + buffer);
    Value heads = b.mul("heads", b.size("pairs", "G"), at.headsPerKeyHead);
    Value base = b.rowsOf("d_o_rows", from, at.batch, at.head, program.valueDim);
    b.call("gate_gradient", "branch_gradient",
           {b.integer(program.valueDim), b.integer(sumsRows ? 1 : program.gradientPlanes())},
           {row, col, b.item(1), heads, rows, live, base, factor(), to});
    return kernel.finish(0);
  }

private:
  Value factor() {
    if (!pass.gate)
      return b.constant(1.0f);
    PairRegion region(*pass.gate, scope, arith::FastMathFlags::contract);
    region.bind(0, scope.narrow("batch_index", at.batch));
    region.bind(1, scope.narrow("head_index", at.head));
    region.bind(2, scope.position(scope.narrow("row_index", row), /*isKey=*/false));
    region.bind(3, scope.narrow("col_index", col));
    region.clone(b.builder);
    return region.result();
  }

  StageKernel kernel;
  GpuKernelBuilder &b;
  const GpuProgram &program;
  const GradientPass &pass;
  GpuPairScope scope;
  HeadPlace at;
  Value row, col;
};

OwningOpRef<ModuleOp> lowerPoolGradients(MLIRContext &context, const GpuProgram &program, const GradientPass &pass) {
  StageKernel kernel(context, program, "pool_" + pass.rows->name, {"part", "member", "chunk"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  Value heads = b.mul("heads", b.size("pairs", "G"), b.size("heads_per_key_head", "R"));
  b.call("pool_gradients", "branch_gradient",
         {b.integer(stageThreads), b.integer(program.valueDim), b.integer(program.gradientPlanes()),
          b.integer(pass.rows->queryRows())},
         {b.item(0), b.item(1), b.item(2), heads, b.size("rows", "N"),
          b.pointer(b.builder.getF32Type(), "gated", "@" + pass.prefixOfRows() + "gated"),
          b.pointer(kernel.element(), "pools", "@" + pass.prefixOfRows() + "do")});
  return kernel.finish(0);
}

OwningOpRef<ModuleOp> lowerSpread(MLIRContext &context, const GpuProgram &program, const GradientPass &pass,
                                  const SideGradient &of) {
  const AttendStage &stage = *pass.forward;
  StageKernel kernel(context, program, "spread_" + stage.name + "_" + of.name, {"part", "member", "chunk"},
                     stageThreads);
  GpuKernelBuilder &b = kernel.b;
  Type f32 = b.builder.getF32Type();
  int64_t length = of.isKey ? stage.pools->length : stage.queryRows();
  int64_t stride = of.isKey ? stage.pools->stride : stage.queryRows();
  const std::string weights = !of.isKey ? "" : of.name == "dv" ? stage.pools->valueWeights : stage.pools->keyWeights;
  SmallVector<Value> inputs = {
      b.item(0), b.item(1), b.item(2), b.pointer(f32, "pools", "@" + stage.name + "_" + of.name),
      b.pointer(b.builder.getI32Type(), "lengths", of.isKey ? program.countsOfKeys() : program.countsOfQueries())};
  addPlaces(b, inputs, of.isKey);
  inputs.push_back(b.pointer(f32, "weights", weights));
  for (const char *property : {"size0", "size1", "0", "1"})
    inputs.push_back(weights.empty() ? b.constant(int64_t{1}, "no_weights")
                                     : b.size(std::string("weights_") + property, weights + "." + property));
  inputs.push_back(b.pointer(f32, "sums", "@sum_" + of.name));
  b.call("spread_pools", "branch_gradient",
         {b.integer(stageThreads), b.integer(of.width), b.integer(length), b.integer(stride),
          b.flag(program.order.has_value()), b.flag(pass.adds)},
         inputs);
  return kernel.finish(0);
}

OwningOpRef<ModuleOp> lowerStores(MLIRContext &context, const GpuProgram &program, const GradientPass &pass) {
  StageKernel kernel(context, program, pass.name, {"part", "member", "chunk"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  SmallVector<Value> places;
  addPlaces(b, places, pass.ofKeys);
  for (const SideGradient &of : gradientsOf(program, pass.ofKeys)) {
    StridedTensor to = b.tensor(kernel.element(), of.name, of.name);
    SmallVector<Value> inputs = {b.item(0),     b.item(1),
                                 b.item(2),     b.pointer(b.builder.getF32Type(), "sum_" + of.name, "@sum_" + of.name),
                                 to.base,       to.batchStride,
                                 to.headStride, to.rowStride};
    inputs.append(places);
    b.call("store_sums", "branch_gradient", {b.integer(stageThreads), b.integer(of.cols), b.integer(of.width)}, inputs);
  }
  return kernel.finish(0);
}

} // namespace

OwningOpRef<ModuleOp> lowerGradientRows(MLIRContext &context, const GpuProgram &program, const GradientPass &pass) {
  bool own = pass.isBranch, ownGradient = pass.hasOwnGradient();
  StageKernel kernel(context, program, own ? "gradient_rows_" + pass.rows->name : "gradient_rows",
                     {"part", "member", "unused"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  Type f32 = b.builder.getF32Type();
  const std::string prefix = pass.prefixOfRows();
  Value rows = b.size("queries", "N"), none = b.constant(int64_t{0});
  if (own)
    rows = b.pooled("query_pools", rows, pass.rows->queryRows());
  SmallVector<Value> inputs = {b.item(0), b.item(1)};
  auto add = [&](StringRef name, const std::string &symbol, Type element, bool inBuffer, int64_t cols) {
    if (inBuffer) {
      inputs.append({b.pointer(element, name, "@" + prefix + symbol), none,
                     b.mul((name + "_head").str(), rows, b.constant(cols)), b.constant(cols)});
      return;
    }
    StridedTensor tensor = b.tensor(element, name, symbol);
    inputs.append({tensor.base, tensor.batchStride, tensor.headStride, tensor.rowStride});
  };
  add("o", "o", f32, own, program.paddedValueDim());
  add("d_o", "do", kernel.element(), ownGradient, program.valueDim);
  add("lse", "lse", f32, own, 1);
  add("lse_rest", "lse_rest", f32, own, 1);
  Value share = b.size("heads_per_key_head", "R");
  inputs.push_back(ownGradient ? b.mul("plane", b.mul("heads", b.size("pairs", "G"), share),
                                       b.mul("of_head", rows, b.constant(program.valueDim)))
                               : none);
  inputs.append({b.pointer(b.builder.getI32Type(), "q_len", own ? "" : "q_len"), // rows beyond it have no LSE
                 b.size("key_heads", "HKV"), share, rows, b.size("first_pair", "G0"),
                 b.pointer(f32, "shifts", "@" + prefix + "shifts"), b.pointer(f32, "rests", "@" + prefix + "rests"),
                 b.pointer(f32, "sums", "@" + prefix + "sums")});
  b.call("gradient_rows", "gradient_rows",
         {b.integer(stageThreads), kernel.elementAttribute(), b.integer(program.valueDim), b.integer(queryNumbersPad),
          b.flag(own), b.flag(ownGradient), b.integer(ownGradient ? program.gradientPlanes() : 1)},
         inputs);
  return kernel.finish(0);
}

void addBranchRows(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program,
                   const GradientPass &pass) {
  Expr rows = pass.isBranch ? pass.rows->rows(program.rows()) : program.rows();
  if (pass.hasOwnGradient()) {
    stages.push_back(makeStage("gate_" + pass.rows->name, "prologue", gridOf(program.rows(), heads(), program.valueDim),
                               schedule,
                               [&context, &program, &pass] { return GateKernel(context, program, pass).build(); }));
    if (pass.rows->poolsQueries())
      stages.push_back(makeStage("pool_" + pass.rows->name, "prologue", gridOf(rows, heads(), program.valueDim),
                                 schedule,
                                 [&context, &program, &pass] { return lowerPoolGradients(context, program, pass); }));
  }
  stages.push_back(makeStage(pass.isBranch ? "gradient_rows_" + pass.rows->name : "gradient_rows", "prologue",
                             {ceildiv(paddedQueries(rows), stageThreads / 32), heads(), 1}, "row per warp",
                             [&context, &program, &pass] { return lowerGradientRows(context, program, pass); }));
}

void addSpreads(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program,
                const GradientPass &pass) {
  if (!pass.hasPooledRows() || pass.ofTable)
    return;
  for (const SideGradient &of : gradientsOf(program, pass.ofKeys))
    stages.push_back(
        makeStage("spread_" + pass.forward->name + "_" + of.name, "gradient",
                  gridOf(of.isKey ? program.keys() : program.rows(), of.isKey ? sym("G") : heads(), of.width), schedule,
                  [&context, &program, &pass, of] { return lowerSpread(context, program, pass, of); }));
}

void addSumStores(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program,
                  const GradientPass &pass) {
  int64_t cols = pass.ofKeys ? std::max(program.headDim, program.valueDim) : program.headDim;
  stages.push_back(
      makeStage(pass.name, "gradient",
                gridOf(pass.ofKeys ? program.keys() : program.rows(), pass.ofKeys ? sym("G") : heads(), cols), schedule,
                [&context, &program, &pass] { return lowerStores(context, program, pass); }));
}

void addBranchBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program) {
  auto add = [&](const std::string &name, const Expr &bytes, const char *purpose) {
    buffers.push_back({name, bytes, purpose});
  };
  for (bool ofKeys : {false, true})
    for (const SideGradient &of : gradientsOf(program, ofKeys))
      add("sum_" + of.name, (ofKeys ? sym("G") * program.keys() : heads() * program.rows()) * (4 * of.width),
          "sums of a gradient over branches");
  llvm::StringSet<> known;
  for (const GradientPass &pass : program.gradient) {
    if (pass.stores)
      continue;
    Expr ofHead = pass.rows->rows(program.rows()), rows = heads() * ofHead;
    const std::string prefix = pass.prefixOfRows();
    if (known.insert(prefix).second) {
      Expr numbers = heads() * paddedQueries(ofHead) * 4;
      add(prefix + "shifts", numbers, "-lse log2 e of query rows");
      add(prefix + "rests", numbers, "what rounding left of the shifts");
      add(prefix + "sums", numbers, "sums of dO O of query rows");
      auto planes = program.gradientPlanes() * static_cast<int64_t>(dtypeSize(program.dtype));
      if (pass.hasOwnGradient())
        add(prefix + "do", rows * (program.valueDim * planes), "gradient of the output, as operands");
      if (pass.rows->poolsQueries())
        add(prefix + "gated", heads() * program.rows() * (4 * program.valueDim), "gradient of the output by queries");
    }
    if (pass.hasPooledRows() && !pass.ofTable)
      for (const SideGradient &of : gradientsOf(program, pass.ofKeys))
        add(pass.forward->name + "_" + of.name,
            (of.isKey ? sym("G") * pass.forward->keys(program.keys()) : heads() * pass.forward->rows(program.rows())) *
                (4 * of.width),
            "gradients of pools");
  }
}

} // namespace tercet::compiler
