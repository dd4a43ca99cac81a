// Sizes of an attention kernel, from its stage and schedule.
#include "AttendLayout.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

int64_t slotBytes(tkern::RingType ring) {
  tkern::ViewType slot = ring.getSlot();
  int64_t rowElements = slot.getLayout() == tkern::Layout::Swizzled ? slot.getCols() : slot.getStride();
  return slot.getRows() * rowElements * slot.getElementType().getIntOrFloatBitWidth() / 8;
}

// A ring that box copies fill has two 8-byte barriers per slot behind its slots, and starts at a swizzle's period.
int64_t ringBytes(tkern::RingType ring) {
  bool boxes = ring.getCopy() == tkern::CopyKind::Tma;
  return llvm::alignTo(ring.getSlots() * (slotBytes(ring) + (boxes ? 16 : 0)), boxes ? 1024 : 16);
}

// Rows of threads' copies are 16 bytes longer than their columns: an odd number of 16-byte chunks, so that the eight
// rows that one ldmatrix reads lie in different banks.
tkern::RingType makeRing(MLIRContext &context, int64_t slots, int64_t rows, int64_t cols, Type element, bool boxes) {
  tkern::ViewType slot =
      tkern::ViewType::get(&context, rows, cols, element, boxes ? 64 : cols + 128 / element.getIntOrFloatBitWidth(),
                           tkern::Space::Shared, boxes ? tkern::Layout::Swizzled : tkern::Layout::Rows);
  return tkern::RingType::get(&context, slots, slot, boxes ? tkern::CopyKind::Tma : tkern::CopyKind::CpAsync);
}

} // namespace

AttendLayout::AttendLayout(MLIRContext &context, const GpuProgram &program, const AttendStage &stage,
                           tkern::GpuScheduleAttr schedule) {
  bool groups = schedule.getWorker() == tkern::WorkerKind::Warpgroup;
  bool inRegisters = schedule.getQueries() == tkern::Space::Register;
  Builder builder(&context);
  element = program.isWide()              ? Type(builder.getF32Type())
            : program.dtype == DType::f16 ? Type(builder.getF16Type())
                                          : Type(builder.getBF16Type());
  queryBlocks = program.inQueryBlocks(stage) ? std::max<int64_t>(1, schedule.getBlockRows() / program.blockQ) : 1;
  headCols = llvm::alignTo(program.headDim, groups ? 64 : 16);
  valueCols = llvm::alignTo(program.valueDim, groups ? 64 : 16);

  // Warpgroups have a query slot each, so that each waits for its own rows only.
  queries = groups ? makeRing(context, schedule.getWorkers(), schedule.getWorkerRows(), headCols, element, true)
                   : makeRing(context, 1, schedule.getBlockRows(), headCols, element, false);
  keys = makeRing(context, schedule.getSlots(), schedule.getKeys(), headCols, element, groups);
  values = makeRing(context, schedule.getSlots(), schedule.getKeys(), valueCols, element, groups);

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
    sharedBytes += 2048; // StepWindows::bytes of the device library
  tileRegisters = valueCols / 2 + schedule.getKeys() / 2 + schedule.getKeys() / 4 + (inRegisters ? headCols / 4 : 0);
  if (!stage.exact) // no loop: the accumulator and a part of the linear branch
    sharedBytes = queriesAt = keysAt = valuesAt = stepsAt = 0;
}

} // namespace tercet::compiler
