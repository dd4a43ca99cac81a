// Pools of tokens for stages that attend to them: a kernel for each of k, v and q, whose buffer has the kernel's name.
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

} // namespace

void addPoolStages(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program,
                   const AttendStage &stage) {
  for (const PoolTensor &of : tensorsOf(program, stage)) {
    std::string name = bufferName(stage, of);
    int64_t inBlock = stageThreads / (of.cols / 2);
    auto lower = [&context, &program, name, of] { return lowerPools(context, program, name, of); };
    stages.push_back(makeStage(name, "prologue", {ceildiv(poolsOf(program, of), inBlock), headsOf(of), 1},
                               fmt::format("{} pools per block, two columns per thread", inBlock), lower));
  }
}

void addPoolBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program, const AttendStage &stage) {
  int64_t elementBytes = static_cast<int64_t>(dtypeSize(program.dtype));
  for (const PoolTensor &of : tensorsOf(program, stage))
    buffers.push_back({bufferName(stage, of), headsOf(of) * poolsOf(program, of) * (of.cols * elementBytes),
                       "pools of " + of.tensor});
}

} // namespace tercet::compiler
