// Kernels that classify rows by their own scores, by shares over heads, and as handed in. All write the same lists and bits.
#include "SelectStages.h"

using namespace mlir;

namespace tercet::compiler {

OwningOpRef<ModuleOp> lowerSelect(MLIRContext &context, const GpuProgram &program, bool superRows) {
  StageKernel kernel(context, program, "select", {"part", "member", "unused"}, 32 * rowsPerBlock);
  GpuKernelBuilder &b = kernel.b;
  bool byGroup = program.selection.scope == SelectScope::group;
  ScoreSource source = byGroup ? ScoreSource::heads : scoreSourceOf(program);
  bool means = source == ScoreSource::means, logits = means || source == ScoreSource::table;
  SelectArguments arguments(kernel);
  arguments.add({b.item(0), b.item(1)});
  arguments.addScores(source);
  arguments.add(arguments.buffer("scores", arguments.f32()));
  arguments.addSizes();
  arguments.addFacts();
  arguments.addAmounts();
  arguments.addOutputs();
  const int64_t cols = means ? program.headDim : 0;
  const int64_t bytes = 4 * (rowsPerBlock * cols + 16384); // score_bytes of the device library
  SmallVector<Attribute> constants = {b.integer(static_cast<int64_t>(source)),
                                      b.integer(rowsPerBlock),
                                      b.integer(cols),
                                      b.flag(logits),
                                      b.integer(program.bits()),
                                      b.integer(program.blockQ),
                                      b.integer(program.blockK)};
  arguments.addRule(constants);
  arguments.addRowFacts(constants);
  constants.push_back(b.integer(bytes));
  b.call("select_blocks", "select", constants, arguments.inputs, /*shared=*/true);
  if (superRows)
    arguments.joinLists();
  return kernel.finish(bytes);
}

OwningOpRef<ModuleOp> lowerShareRows(MLIRContext &context, const GpuProgram &program) {
  StageKernel kernel(context, program, "share_rows", {"part", "member", "unused"}, 32 * rowsPerBlock);
  GpuKernelBuilder &b = kernel.b;
  ScoreSource source = scoreSourceOf(program);
  SelectArguments arguments(kernel);
  arguments.add({b.item(0), b.item(1)});
  arguments.addScores(source);
  arguments.add(arguments.buffer("shares", arguments.f32()));
  arguments.addSizes();
  arguments.add(arguments.buffer("rules", b.builder.getI8Type(), program.selection.hasRules()));
  const ScoreRoom room = scoreRoomOf(program, source);
  b.call("share_blocks", "select_scope",
         {b.integer(static_cast<int64_t>(source)), b.integer(rowsPerBlock), b.integer(room.cols),
          b.integer(program.blockQ), b.integer(program.blockK), b.flag(program.selection.hasRules()),
          b.integer(room.bytes)},
         arguments.inputs, /*shared=*/true);
  return kernel.finish(room.bytes);
}

OwningOpRef<ModuleOp> lowerGivenClasses(MLIRContext &context, const GpuProgram &program, bool superRows) {
  StageKernel kernel(context, program, "given_classes", {"part", "member", "unused"}, 32 * rowsPerBlock);
  GpuKernelBuilder &b = kernel.b;
  SelectArguments arguments(kernel);
  arguments.add({b.item(0), b.item(1)});
  kernel.addTensor(arguments.inputs, "classes", 4);
  arguments.add({arguments.buffer("rules", b.builder.getI8Type(), program.selection.hasRules()),
                 program.ranksAhead() ? b.size("rules_first", "G0") : b.constant(int64_t{0}, "rules_first")});
  arguments.addSizes();
  arguments.addOutputs();
  b.call("given_classes", "given_classes",
         {b.integer(program.bits()), b.integer(program.blockQ), b.integer(program.blockK), b.integer(rowsPerBlock)},
         arguments.inputs);
  if (superRows)
    arguments.joinLists();
  return kernel.finish(0);
}

OwningOpRef<ModuleOp> lowerRowLists(MLIRContext &context, const GpuProgram &program) {
  StageKernel kernel(context, program, "row_lists", {"part", "member", "unused"}, 32 * rowsPerBlock);
  GpuKernelBuilder &b = kernel.b;
  SelectArguments arguments(kernel);
  arguments.add({b.item(0), b.item(1), b.size("rows", "N"), b.size("keys", "M")});
  for (const char *buffer : {"bits", "cut_bits", "lists", "counts", "takers"})
    arguments.add(arguments.buffer(buffer, arguments.i32()));
  b.call("row_lists", "row_lists", {b.integer(rowsPerBlock), b.integer(program.blockQ), b.integer(program.blockK)},
         arguments.inputs);
  return kernel.finish(0);
}

} // namespace tercet::compiler
