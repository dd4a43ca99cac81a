// Gradients of the weights of pools: of what a pass over pools makes of these, a share per pair of the call, and sums behind the groups. Shares
// do not know of groups, so what a sum adds, and in which order, does not depend on them.
#include "PoolWeightGradient.h"

#include "TableGradient.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

/// A side of a pass over pools that are weighted.
struct Weighted {
  const GradientPass *pass;
  bool ofValues;
  const std::string &table() const {
    return ofValues ? pass->forward->pools->valueWeights : pass->forward->pools->keyWeights;
  }
  std::string pools() const { return pass->forward->name + (ofValues ? "_dv" : "_dk"); }
  std::string shares() const { return pools() + "_weights"; }
};

std::vector<Weighted> weightedOf(const GradientPass &pass) {
  std::vector<Weighted> all;
  if (pass.ofKeys && pass.hasPooledRows() && !pass.ofTable)
    for (bool ofValues : {false, true})
      if (Weighted of{&pass, ofValues}; !of.table().empty())
        all.push_back(of);
  return all;
}

std::vector<Weighted> weightedOf(const GpuProgram &program) {
  std::vector<Weighted> all;
  for (const GradientPass &pass : program.gradient)
    llvm::append_range(all, weightedOf(pass));
  return all;
}

OwningOpRef<ModuleOp> lowerShares(MLIRContext &context, const GpuProgram &program, const Weighted &of) {
  StageKernel kernel(context, program, of.shares(), {"at", "group", "unused"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  Type f32 = b.builder.getF32Type();
  const PooledKeys &pools = *of.pass->forward->pools;
  SmallVector<Value> inputs = {b.item(0), b.item(1)};
  kernel.addTensor(inputs, of.ofValues ? "v" : "k", 3);
  inputs.append({b.pointer(b.builder.getI32Type(), "lengths", program.countsOfKeys()), b.size("key_heads", "HKV"),
                 b.size("tokens", "M"), b.size("first_pair", "G0"), b.pointer(f32, "pools", "@" + of.pools()),
                 b.pointer(f32, "wanted", "d" + of.table()), b.pointer(f32, "shares", "@" + of.shares())});
  int64_t dim = of.ofValues ? program.valueDim : program.headDim;
  b.call("pool_weight_shares", "pool_weight_gradient",
         {b.integer(stageThreads), kernel.elementAttribute(), b.integer(dim),
          b.integer(of.ofValues ? program.paddedValueDim() : program.paddedHeadDim()), b.integer(pools.length),
          b.integer(pools.stride), b.flag(program.order.has_value())},
         inputs, /*shared=*/true);
  return kernel.finish(stageThreads / 32 * 4);
}

OwningOpRef<ModuleOp> lowerSum(MLIRContext &context, const GpuProgram &program, const Weighted &of, bool adds) {
  StageKernel kernel(context, program, "sum_" + of.shares(), {"part", "unused", "unused2"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  Type f32 = b.builder.getF32Type();
  const std::string &table = of.table();
  b.call("sum_pool_weights", "pool_weight_gradient",
         {b.integer(stageThreads), b.integer(of.pass->forward->pools->length), b.flag(adds)},
         {b.item(0), b.pointer(f32, "shares", "@" + of.shares()), b.size("pairs", "P"), b.size("key_heads", "HKV"),
          b.pointer(f32, "gradient", "d" + table), b.size("heads", table + ".size0"),
          b.size("entries", table + ".size1"), b.size("head_stride", "d" + table + ".0"),
          b.size("stride", "d" + table + ".1")});
  return kernel.finish(0);
}

} // namespace

std::vector<std::string> weightTables(const GpuProgram &program) {
  std::vector<std::string> tables;
  for (const Weighted &of : weightedOf(program))
    tables.push_back(of.table());
  return tables;
}

void addPoolWeightBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program) {
  for (const Weighted &of : weightedOf(program))
    buffers.push_back({of.shares(), sym("P") * (4 * of.pass->forward->pools->length),
                       "shares of pairs of the gradient of weights of pools"});
}

void addPoolWeightShares(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program,
                         const GradientPass &pass) {
  for (const Weighted &of : weightedOf(pass))
    stages.push_back(makeStage(of.shares(), "gradient", {pass.forward->pools->length, sym("G"), 1},
                               "token of pools per block",
                               [&context, &program, of] { return lowerShares(context, program, of); }));
}

void addPoolWeightSums(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program) {
  llvm::StringSet<> known; // gradients that hold something already
  for (BlockArgument table : differentiatedTables(program.gradient))
    known.insert(ir::argumentName(table));
  for (const Weighted &of : weightedOf(program)) {
    bool adds = !known.insert(of.table()).second;
    Expr entries = Expr::symbol(of.table() + ".size0") * Expr::symbol(of.table() + ".size1");
    GpuStage &stage = stages.emplace_back(
        makeStage("sum_" + of.shares(), "gradient", {ceildiv(entries, stageThreads), 1, 1}, "entry per thread",
                  [&context, &program, of, adds] { return lowerSum(context, program, of, adds); }));
    stage.last = true;
  }
}

} // namespace tercet::compiler
