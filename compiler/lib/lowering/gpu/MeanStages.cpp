#include "MeanStages.h"

#include "GradientKernel.h"
#include "StageKernel.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

constexpr int64_t meanWarps = 8, meanRowFloats = 4; ///< as in mean_gradients.cuh

Expr headsOfGroup() { return sym("G") * sym("R"); }

int64_t sharedBytesOf(const GpuProgram &program) { // mean_pairs_bytes of the device library
  return 4 * (meanWarps + 32) * (program.headDim + 1 + program.valueDim + 1);
}

/// A kernel of 8 rows, a warp each, against tiles of the other side.
class MeanKernel {
public:
  MeanKernel(MLIRContext &context, const GpuProgram &program, const AttendStage &stage, const std::string &name)
      : kernel(context, program, name, {"part", "member", "unused"}, 32 * meanWarps), b(kernel.b), program(program),
        stage(stage), f32(b.builder.getF32Type()) {}

  OwningOpRef<ModuleOp> forward() {
    addPairs();
    inputs.append({buffer("numerators", "_o"), buffer("state", "_state")});
    SmallVector<Attribute> constants = widths({program.paddedValueDim()});
    constants.append({b.flag(program.order.has_value()), b.integer(sharedBytesOf(program))});
    b.call("attend_means", "mean_pairs", constants, inputs, /*shared=*/true);
    return kernel.finish(sharedBytesOf(program));
  }

  OwningOpRef<ModuleOp> gradient(bool ofKeys) {
    addPairs();
    inputs.append({buffer("row_gradients", "_rows"), buffer("row_states", "_row_states")});
    SmallVector<Attribute> constants;
    if (ofKeys) {
      inputs.append({buffer("d_k", "_dk"), buffer("d_v", "_dv")});
      constants = widths({program.paddedHeadDim(), program.paddedValueDim()});
    } else {
      inputs.push_back(buffer("d_q", "_dq"));
      constants = widths({program.paddedHeadDim()});
    }
    constants.push_back(b.integer(sharedBytesOf(program)));
    b.call(ofKeys ? "mean_key_gradient" : "mean_query_gradient", "mean_gradients", constants, inputs, /*shared=*/true);
    return kernel.finish(sharedBytesOf(program));
  }

private:
  Value buffer(StringRef name, StringRef suffix) { return b.pointer(f32, name, "@" + stage.name + suffix.str()); }

  void addPairs() {
    inputs = {b.item(0),
              b.item(1),
              b.size("pairs", "G"),
              buffer("mean_q", "_q"),
              b.pointer(kernel.element(), "mean_k", "@mean_k_rows"),
              b.pointer(kernel.element(), "mean_v", "@mean_v_rows"),
              b.pointer(b.builder.getI32Type(), "mean_bits", "@mean_bits"),
              kernel.amount("scale", stage.scale, program.defaultScale()),
              b.pointer(b.builder.getI32Type(), "k_len", program.countsOfKeys()),
              b.size("key_heads", "HKV"),
              b.size("heads_per_key_head", "R"),
              b.size("rows", "N"),
              b.size("keys", "M"),
              b.size("first_pair", "G0")};
  }

  SmallVector<Attribute> widths(ArrayRef<int64_t> ofOutputs) {
    SmallVector<Attribute> constants;
    for (int64_t number : {meanWarps, program.headDim, program.valueDim})
      constants.push_back(b.integer(number));
    for (int64_t number : ofOutputs)
      constants.push_back(b.integer(number));
    for (int64_t number : {program.meanPlanes(), program.meanValuePlanes(), program.blockQ, program.blockK})
      constants.push_back(b.integer(number));
    return constants;
  }

  StageKernel kernel;
  GpuKernelBuilder &b;
  const GpuProgram &program;
  const AttendStage &stage;
  Type f32;
  SmallVector<Value> inputs;
};

OwningOpRef<ModuleOp> lowerMeanQueries(MLIRContext &context, const GpuProgram &program, const AttendStage &stage) {
  StageKernel kernel(context, program, stage.name + "_q", {"block", "member", "unused"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  SmallVector<Value> inputs = {b.item(0), b.item(1)};
  kernel.addTensor(inputs, "q", 3);
  inputs.append({b.pointer(b.builder.getI32Type(), "q_len", program.countsOfQueries()), b.size("key_heads", "HKV"),
                 b.size("heads_per_key_head", "R"), b.size("rows", "N"), b.size("first_pair", "G0"),
                 b.pointer(b.builder.getF32Type(), "means", "@" + stage.name + "_q")});
  b.call("pool_queries", "pool",
         kernel.ordered({b.integer(stageThreads), kernel.elementAttribute(), b.integer(program.headDim),
                         b.integer(program.blockQ)}),
         inputs, /*shared=*/true);
  return kernel.finish(32 * stageThreads);
}

OwningOpRef<ModuleOp> lowerMeanRows(MLIRContext &context, const GpuProgram &program, const GradientPass &pass) {
  const std::string &stage = pass.forward->name, prefix = pass.prefixOfRows();
  StageKernel kernel(context, program, "mean_rows_" + stage, {"block", "member", "unused"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  Type f32 = b.builder.getF32Type();
  StridedTensor gradient = b.tensor(kernel.element(), "d_o", "do");
  SmallVector<Value> inputs = {b.item(0),           b.item(1),         gradient.base, gradient.batchStride,
                               gradient.headStride, gradient.rowStride};
  inputs.append(
      {b.size("key_heads", "HKV"), b.size("heads_per_key_head", "R"), b.size("rows", "N"), b.size("first_pair", "G0")});
  for (const char *name : {"shifts", "rests", "sums"})
    inputs.push_back(b.pointer(f32, name, "@" + prefix + name));
  inputs.append({b.pointer(f32, "row_gradients", "@" + stage + "_rows"),
                 b.pointer(f32, "row_states", "@" + stage + "_row_states"),
                 b.pointer(f32, "kept_state", "@" + stage + "_state"),
                 b.pointer(f32, "mean_shares", program.isWide() ? "@mean_shares" : "")});
  b.call("mean_rows", "mean_gradients",
         {b.integer(stageThreads), kernel.elementAttribute(), b.integer(program.valueDim), b.integer(program.blockQ),
          b.integer(queryNumbersPad)},
         inputs);
  return kernel.finish(0);
}

const std::string perWarp = "8 rows per block, a warp each, 32 of the other side at a time";

} // namespace

void addMeanStages(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program,
                   const AttendStage &stage) {
  stages.push_back(makeStage(stage.name + "_q", "prologue", {program.queryBlocks(), headsOfGroup(), 1},
                             "query block per block",
                             [&context, &program, &stage] { return lowerMeanQueries(context, program, stage); }));
  stages.push_back(
      makeStage(stage.name, "attend", {ceildiv(program.queryBlocks(), meanWarps), headsOfGroup(), 1}, perWarp,
                [&context, &program, &stage] { return MeanKernel(context, program, stage, stage.name).forward(); }));
  stages.back().flops = stage.exactFlops(program.rows(), program.keys(), program.blockQ, program.blockK,
                                         program.headDim, program.valueDim);
}

void addMeanBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program, const AttendStage &stage) {
  Expr rows = headsOfGroup() * program.queryBlocks();
  buffers.push_back({stage.name + "_q", rows * (4 * program.headDim), "block means of queries"});
  if (!program.inBranches())
    return;
  buffers.push_back({stage.name + "_rows", rows * (4 * program.valueDim), "gradients of outputs, by query blocks"});
  if (program.isWide())
    buffers.push_back({"mean_shares", headsOfGroup() * program.rows() * 4, "sums of P over block means"});
  buffers.push_back({stage.name + "_row_states", rows * (4 * meanRowFloats), "shifts and sums of query blocks"});
}

void addMeanGradient(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program,
                     const GradientPass &pass) {
  if (!pass.ofKeys)
    stages.push_back(makeStage("mean_rows_" + pass.forward->name, "prologue",
                               {program.queryBlocks(), headsOfGroup(), 1}, "query block per block",
                               [&context, &program, &pass] { return lowerMeanRows(context, program, pass); }));
  Expr blocks = pass.ofKeys ? program.keyBlocks() : program.queryBlocks();
  stages.push_back(makeStage(pass.name, "gradient",
                             {ceildiv(blocks, meanWarps), pass.ofKeys ? sym("G") : headsOfGroup(), 1}, perWarp,
                             [&context, &program, &pass] {
                               return MeanKernel(context, program, *pass.forward, pass.name).gradient(pass.ofKeys);
                             }));
  int64_t ofPair = program.headDim + program.valueDim;
  stages.back().flops = pass.pairs(program.rows(), program.keys(), program.blockQ, program.blockK) *
                        (2 * (ofPair + program.headDim + (pass.ofKeys ? program.valueDim : 0)));
}

} // namespace tercet::compiler
