// Kernels before selection: block means, centred keys, likeness of tokens, shares from anti-diagonals and from pools.
#include "SelectStages.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

Value keyCounts(StageKernel &kernel) {
  return kernel.b.pointer(kernel.b.builder.getI32Type(), "k_len", kernel.program.countsOfKeys());
}

} // namespace

OwningOpRef<ModuleOp> lowerPoolQueries(MLIRContext &context, const GpuProgram &program) {
  StageKernel kernel(context, program, "pool_queries", {"block", "member", "unused"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  SmallVector<Value> inputs = {b.item(0), b.item(1)};
  kernel.addTensor(inputs, "q", 3);
  inputs.append({b.pointer(b.builder.getI32Type(), "q_len", program.countsOfQueries()), b.size("key_heads", "HKV"),
                 b.size("heads_per_key_head", "R"), b.size("rows", "N"), b.size("first_pair", "G0")});
  auto call = [&](StringRef callee, StringRef header, StringRef output) {
    SmallVector<Value> all = inputs;
    all.push_back(b.pointer(b.builder.getF32Type(), output, ("@" + output).str()));
    b.call(callee, header,
           kernel.ordered({b.integer(stageThreads), kernel.elementAttribute(), b.integer(program.headDim),
                           b.integer(program.blockQ)}),
           all, /*shared=*/true);
  };
  call("pool_queries", "pool", "mean_q");
  if (program.selection.guard.empty())
    return kernel.finish(32 * stageThreads);
  call("alike_queries", "likeness", "alike_q");
  return kernel.finish(32 * stageThreads + 4 * program.blockQ);
}

OwningOpRef<ModuleOp> lowerPoolKeys(MLIRContext &context, const GpuProgram &program) {
  StageKernel kernel(context, program, "pool_keys", {"block", "pair", "unused"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  SmallVector<Value> inputs = {b.item(0), b.item(1), b.size("pairs", "P")};
  kernel.addTensor(inputs, "k", 3);
  inputs.append({keyCounts(kernel), b.size("key_heads", "HKV"), b.size("keys", "M"), b.size("first_pair", "G0"),
                 b.pointer(b.builder.getF32Type(), "mean_k", "@mean_k"), b.pointer(kernel.element(), "no_rows", "")});
  b.call("pool_keys", "pool",
         kernel.ordered({b.integer(stageThreads), kernel.elementAttribute(), b.integer(program.headDim),
                         b.integer(program.blockK), b.integer(1)}),
         inputs, /*shared=*/true);
  return kernel.finish(32 * stageThreads);
}

OwningOpRef<ModuleOp> lowerCenterKeys(MLIRContext &context, const GpuProgram &program) {
  StageKernel kernel(context, program, "center_keys", {"part", "pair", "unused"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  Type f32 = b.builder.getF32Type();
  SmallVector<Value> inputs = {b.item(0),
                               b.item(1),
                               keyCounts(kernel),
                               b.size("key_heads", "HKV"),
                               b.size("keys", "M"),
                               b.size("first_pair", "G0"),
                               b.pointer(f32, "mean_k", "@mean_k"),
                               b.pointer(f32, "centre", "@centre")};
  b.call("center_keys", "likeness",
         kernel.ordered({b.integer(stageThreads), b.integer(program.headDim), b.integer(program.blockK)}), inputs);
  return kernel.finish(0);
}

OwningOpRef<ModuleOp> lowerAlikeKeys(MLIRContext &context, const GpuProgram &program) {
  StageKernel kernel(context, program, "alike_keys", {"block", "pair", "unused"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  Type f32 = b.builder.getF32Type();
  SmallVector<Value> inputs = {b.item(0), b.item(1)};
  kernel.addTensor(inputs, "k", 3);
  inputs.append({keyCounts(kernel), b.size("key_heads", "HKV"), b.size("keys", "M"), b.size("first_pair", "G0"),
                 b.pointer(f32, "centre", program.selection.center ? "@centre" : ""),
                 b.pointer(f32, "alike_k", "@alike_k")});
  b.call("alike_keys", "likeness",
         kernel.ordered({b.integer(stageThreads), kernel.elementAttribute(), b.integer(program.headDim),
                         b.integer(program.blockK)}),
         inputs, /*shared=*/true);
  return kernel.finish(32 * stageThreads + 4 * program.blockK);
}

OwningOpRef<ModuleOp> lowerSampledScores(MLIRContext &context, const GpuProgram &program) {
  SampledShape shape(program);
  StageKernel kernel(context, program, "sampled_scores", {"part", "member", "unused"}, shape.threads);
  GpuKernelBuilder &b = kernel.b;
  SelectArguments arguments(kernel);
  arguments.add({b.item(0), b.item(1)});
  kernel.addTensor(arguments.inputs, "q", 3);
  kernel.addTensor(arguments.inputs, "k", 3);
  arguments.addSizes();
  bool byGroup = program.selection.scope == SelectScope::group, rules = program.selection.hasRules();
  arguments.add({kernel.amount("scale", program.scale, program.defaultScale()),
                 arguments.buffer("rules", b.builder.getI8Type(), rules),
                 arguments.buffer(byGroup ? "shares" : "scores", arguments.f32())});
  if (program.order)
    for (const char *counts : {"counts_q", "counts_k"})
      arguments.add(arguments.buffer(counts, b.builder.getI32Type()));
  b.call("sampled_scores", "sampled_scores",
         kernel.ordered({kernel.elementAttribute(), b.integer(program.headDim), b.integer(program.selection.stride),
                         b.integer(program.blockQ), b.integer(program.blockK), b.flag(rules),
                         b.integer(shape.sharedBytes)}),
         arguments.inputs, /*shared=*/true);
  return kernel.finish(shape.sharedBytes);
}

OwningOpRef<ModuleOp> lowerCompressedScores(MLIRContext &context, const GpuProgram &program) {
  PoolScoreShape shape(program);
  const CompressedScores &scores = program.selection.compressed;
  StageKernel kernel(context, program, "compressed_scores", {"part", "member", "unused"}, shape.threads);
  GpuKernelBuilder &b = kernel.b;
  SelectArguments arguments(kernel);
  arguments.add({b.item(0), b.item(1)});
  kernel.addTensor(arguments.inputs, "q", 3);
  arguments.add(arguments.buffer("score_k", kernel.element()));
  arguments.addSizes();
  bool byGroup = program.selection.scope == SelectScope::group;
  arguments.add({kernel.amount("scale", scores.scale, program.defaultScale()),
                 arguments.buffer("seen", arguments.i32(), scores.where != nullptr),
                 arguments.buffer(byGroup ? "shares" : "scores", arguments.f32())});
  b.call("compressed_scores", "compressed_scores",
         {kernel.elementAttribute(), b.integer(program.headDim), b.integer(scores.length), b.integer(scores.stride),
          b.integer(program.blockQ), b.integer(program.blockK), b.flag(scores.where != nullptr),
          b.integer(shape.sharedBytes)},
         arguments.inputs, /*shared=*/true);
  return kernel.finish(shape.sharedBytes);
}

} // namespace tercet::compiler
