// Pools of tokens for stages that attend to them, a kernel for each of k, v and q, whose buffer has the kernel's name; and pools of keys
// for scores.
#include "PoolStages.h"
#include "StageKernel.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

/// What becomes the pools of a tensor.
struct PoolTensor {
  std::string tensor, weights; ///< weights: the name of a table; empty: means
  int64_t length, stride, cols;
  bool isQuery() const { return tensor == "q"; }
};

std::vector<PoolTensor> tensorsOf(const GpuProgram &program, const AttendStage &stage) {
  if (!stage.pools || stage.ofMeans)
    return {};
  const PooledKeys &pools = *stage.pools;
  std::vector<PoolTensor> tensors = {{"k", pools.keyWeights, pools.length, pools.stride, program.headDim},
                                     {"v", pools.valueWeights, pools.length, pools.stride, program.valueDim}};
  if (stage.poolsQueries())
    tensors.push_back({"q", "", stage.queryRows(), stage.queryRows(), program.headDim});
  return tensors;
}

Expr poolsOf(const GpuProgram &program, const PoolTensor &of) {
  return ceildiv(of.isQuery() ? program.rows() : program.keys(), of.stride);
}

Expr headsOf(const PoolTensor &of) {
  Expr pairs = Expr::symbol("G");
  return of.isQuery() ? pairs * Expr::symbol("R") : pairs;
}

std::string bufferName(const AttendStage &stage, const PoolTensor &of) { return stage.name + "_" + of.tensor; }

OwningOpRef<ModuleOp> lowerPools(MLIRContext &context, const GpuProgram &program, const std::string &name,
                                 const PoolTensor &of) {
  StageKernel kernel(context, program, name, {"part", "member", "unused"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  SmallVector<Value> inputs = {b.item(0), b.item(1)};
  kernel.addTensor(inputs, of.tensor, 3);
  inputs.append(
      {b.pointer(b.builder.getI32Type(), "lengths", of.isQuery() ? program.countsOfQueries() : program.countsOfKeys()),
       b.size("key_heads", "HKV"),
       of.isQuery() ? b.size("heads_per_key_head", "R") : b.constant(int64_t{1}, "heads_per_key_head"),
       b.size("tokens", of.isQuery() ? "N" : "M"), b.size("first_pair", "G0")});
  inputs.push_back(b.pointer(b.builder.getF32Type(), "weights", of.weights));
  for (const char *property : {"size0", "size1", "0", "1"})
    inputs.push_back(of.weights.empty() ? b.constant(int64_t{1}, "no_weights")
                                        : b.size(std::string("weights_") + property, of.weights + "." + property));
  inputs.push_back(b.pointer(kernel.element(), "pools", "@" + name));
  b.call("pool_tokens", "pool_tokens",
         {b.integer(stageThreads), kernel.elementAttribute(), b.integer(of.cols), b.integer(of.length),
          b.integer(of.stride), b.flag(program.order.has_value())},
         inputs);
  return kernel.finish(0);
}

GpuStage poolStage(MLIRContext &context, const GpuProgram &program, const std::string &name, const PoolTensor &of,
                   const Expr &heads) {
  int64_t inBlock = stageThreads / (of.cols / 2);
  auto lower = [&context, &program, name, of] { return lowerPools(context, program, name, of); };
  return makeStage(name, "prologue", {ceildiv(poolsOf(program, of), inBlock), heads, 1},
                   fmt::format("{} pools per block, two columns per thread", inBlock), lower);
}

PlanBuffer poolBuffer(const GpuProgram &program, const std::string &name, const PoolTensor &of, const Expr &heads) {
  int64_t elementBytes = static_cast<int64_t>(dtypeSize(program.dtype));
  return {name, heads * poolsOf(program, of) * (of.cols * elementBytes), "pools of " + of.tensor};
}

PoolTensor scorePools(const GpuProgram &program) {
  const CompressedScores &of = program.selection.compressed;
  return {"k", of.weights, of.length, of.stride, program.headDim};
}

} // namespace

void addPoolStages(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program,
                   const AttendStage &stage) {
  for (const PoolTensor &of : tensorsOf(program, stage))
    stages.push_back(poolStage(context, program, bufferName(stage, of), of, headsOf(of)));
}

void addPoolBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program, const AttendStage &stage) {
  for (const PoolTensor &of : tensorsOf(program, stage))
    buffers.push_back(poolBuffer(program, bufferName(stage, of), of, headsOf(of)));
}

GpuStage makeScorePools(MLIRContext &context, const GpuProgram &program, const Expr &pairs) {
  return poolStage(context, program, "score_k", scorePools(program), pairs);
}

PlanBuffer scorePoolBuffer(const GpuProgram &program, const Expr &pairs) {
  return poolBuffer(program, "score_k", scorePools(program), pairs);
}

} // namespace tercet::compiler
