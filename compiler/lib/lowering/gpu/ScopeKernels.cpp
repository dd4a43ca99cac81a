// Kernels of scopes wider than a row: keys of rows, passes that count them, classes by the cuts.
#include "SelectStages.h"

using namespace mlir;

namespace tercet::compiler {

OwningOpRef<ModuleOp> lowerRankRows(MLIRContext &context, const GpuProgram &program) {
  StageKernel kernel(context, program, "rank_rows", {"part", "member", "unused"}, 32 * rowsPerBlock);
  GpuKernelBuilder &b = kernel.b;
  ScoreSource source = scoreSourceOf(program);
  SelectArguments arguments(kernel);
  arguments.add({b.item(0), b.item(1)});
  arguments.addScores(source);
  arguments.add(arguments.buffer("scores", arguments.f32()));
  arguments.addSizes();
  arguments.addFacts();
  arguments.addScopeHeads();
  arguments.add(arguments.buffer("scopes", arguments.i32()));
  const ScoreRoom room = scoreRoomOf(program, source);
  SmallVector<Attribute> constants = {b.integer(static_cast<int64_t>(source)),
                                      b.integer(rowsPerBlock),
                                      b.integer(room.cols),
                                      b.flag(source != ScoreSource::workspace),
                                      b.flag(program.selection.needsShares()),
                                      b.integer(program.blockQ),
                                      b.integer(program.blockK),
                                      b.integer(static_cast<int64_t>(program.selection.keepRule))};
  arguments.addRowFacts(constants);
  constants.push_back(b.integer(room.bytes));
  b.call("rank_blocks", "select_scope", constants, arguments.inputs, /*shared=*/true);
  return kernel.finish(room.bytes);
}

OwningOpRef<ModuleOp> lowerCountKeys(MLIRContext &context, const GpuProgram &program) {
  StageKernel kernel(context, program, "count_keys", {"part", "scope", "unused"}, 256);
  GpuKernelBuilder &b = kernel.b;
  SelectArguments arguments(kernel);
  arguments.add({b.item(0), b.item(1), b.size("pass", "pass"), arguments.buffer("scores", arguments.f32())});
  arguments.addScopeHeads();
  arguments.add({b.size("key_heads", "HKV"), b.size("heads_per_key_head", "R"), b.size("rows", "N"),
                 b.size("keys", "M"), b.size("first_pair", "G0")});
  arguments.addAmounts();
  arguments.add(arguments.buffer("scopes", arguments.i32()));
  constexpr int64_t bytes = 2 * 256 * 8; // count_bytes of the device library
  SmallVector<Attribute> constants = {b.integer(rowsPerCount), b.integer(program.blockQ), b.integer(program.blockK)};
  arguments.addRule(constants);
  constants.push_back(b.integer(bytes));
  b.call("count_keys", "select_scope", constants, arguments.inputs, /*shared=*/true);
  return kernel.finish(bytes);
}

OwningOpRef<ModuleOp> lowerClassifyRows(MLIRContext &context, const GpuProgram &program, bool superRows) {
  StageKernel kernel(context, program, "classify_rows", {"part", "member", "unused"}, 32 * rowsPerBlock);
  GpuKernelBuilder &b = kernel.b;
  SelectArguments arguments(kernel);
  arguments.add({b.item(0), b.item(1),
                 program.ranksAhead() ? b.size("keys_first", "G0") : b.constant(int64_t{0}, "keys_first"),
                 arguments.buffer("scores", arguments.f32())});
  arguments.addScopeHeads();
  arguments.addSizes();
  arguments.addAmounts();
  arguments.add(arguments.buffer("scopes", arguments.i32()));
  arguments.addOutputs();
  SmallVector<Attribute> constants = {b.integer(rowsPerBlock), b.integer(program.bits()), b.integer(program.blockQ),
                                      b.integer(program.blockK)};
  arguments.addRule(constants);
  b.call("classify_blocks", "select_scope", constants, arguments.inputs);
  if (superRows)
    arguments.joinLists();
  return kernel.finish(0);
}

} // namespace tercet::compiler
