// Sizes of an attention kernel, from its stage and schedule.
#include "AttendLayout.h"
#include "GpuKernelBuilder.h"
#include "SharedRings.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace tercet::compiler {

AttendLayout::AttendLayout(MLIRContext &context, const GpuProgram &program, const AttendStage &stage,
                           tkern::GpuScheduleAttr schedule) {
  bool groups = schedule.getWorker() == tkern::WorkerKind::Warpgroup;
  bool inRegisters = schedule.getQueries() == tkern::Space::Register;
  element = elementType(context, program);
  queryBlocks = program.inQueryBlocks(stage) ? std::max<int64_t>(1, schedule.getBlockRows() / program.listRows()) : 1;
  headCols = llvm::alignTo(program.headDim, groups ? 64 : 16);
  valueCols = llvm::alignTo(program.valueDim, groups ? 64 : 16);
  // What earlier stages kept and gates of features come into registers beside the accumulator, which takes half of a thread's
  // where it is wide; ptxas loads for several parts ahead, so that parts are small (nsa and vsa at 256: no spills).
  finishedCols = stage.added.empty() || valueCols <= 128 ? valueCols : 16;

  // Warpgroups have a query slot each, so that each waits for its own rows only.
  queries = groups ? makeRing(schedule.getWorkers(), schedule.getWorkerRows(), headCols, element, true)
                   : makeRing(1, schedule.getBlockRows(), headCols, element, false);
  keys = makeRing(schedule.getSlots(), schedule.getKeys(), headCols, element, groups);
  values = makeRing(schedule.getSlots(), schedule.getKeys(), valueCols, element, groups);

  if (groups || !inRegisters) {
    queriesAt = 0;
    keysAt = ringBytes(queries);
    valuesAt = keysAt + ringBytes(keys);
    sharedBytes = valuesAt + ringBytes(values);
  } else {
    // Queries leave shared memory before the loop; the last slot of values is filled first inside it, behind a barrier.
    keysAt = 0;
    valuesAt = ringBytes(keys);
    queriesAt = valuesAt + (schedule.getSlots() - 1) * slotBytes(values);
    sharedBytes = std::max(valuesAt + ringBytes(values), queriesAt + ringBytes(queries));
  }
  stepsAt = sharedBytes;
  if (program.listsSteps(stage))
    sharedBytes += stepListBytes;
  tileRegisters = valueCols / 2 + schedule.getKeys() / 2 + schedule.getKeys() / 4 + (inRegisters ? headCols / 4 : 0);
  if (!stage.exact) // no loop: the accumulator and a part of the linear branch
    sharedBytes = queriesAt = keysAt = valuesAt = stepsAt = 0;
}

} // namespace tercet::compiler
