// Sizes of a gradient kernel in a schedule.
#include "GradientKernel.h"
#include "SharedRings.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace tercet::compiler {

GradientLayout::GradientLayout(MLIRContext &context, const GpuProgram &program, const GradientKernel &kernel,
                               tkern::GpuScheduleAttr schedule)
    : element(elementType(context, program)) {
  bool groups = schedule.getWorker() == tkern::WorkerKind::Warpgroup;
  xCols = llvm::alignTo(program.headDim, groups ? 64 : 16);
  yCols = llvm::alignTo(program.valueDim, groups ? 64 : 16);
  bool ofMeans = kernel.pass->ofMeans, meanRows = ofMeans && kernel.pass->ofKeys, meanCols = ofMeans && !meanRows;
  planesX = ofMeans ? program.meanPlanes() : 1;
  planesY = ofMeans ? program.meanValuePlanes() : 1;
  int64_t ofGradient = kernel.pass->hasOwnGradient() ? program.gradientPlanes() : 1;
  int64_t rowPlanesY = meanRows ? planesY : kernel.pass->ofKeys ? 1 : ofGradient;
  colPlanesY = meanCols ? planesY : kernel.pass->ofKeys ? ofGradient : 1;
  // Warpgroups have a slot of rows each, so that each waits for its own only.
  int64_t parts = groups ? schedule.getWorkers() : 1, rows = schedule.getBlockRows() / parts;
  int64_t cols = schedule.getKeys(), slots = schedule.getSlots();
  rowsX = makeRing(meanRows ? planesX : parts, rows, xCols, element, groups);
  rowsY = makeRing(parts * rowPlanesY, rows, yCols, element, groups);
  colsX = makeRing(meanCols ? planesX : slots, cols, xCols, element, groups);
  colsY = makeRing(meanCols ? colPlanesY : slots * colPlanesY, cols, yCols, element, groups);
  rowsYAt = ringBytes(rowsX);
  colsXAt = rowsYAt + ringBytes(rowsY);
  numbered = groups && kernel.pass->ofKeys;
  colsYAt = colsXAt + ringBytes(colsX, numbered);
  stepsAt = colsYAt + ringBytes(colsY, numbered);
  sharedBytes = stepsAt + (program.listsSteps(*kernel.pass->forward) ? stepListBytes : 0);
  if (kernel.makes == GradientKernel::Makes::counts) {
    stepsAt = 0;
    sharedBytes = stepListBytes;
  } else if (kernel.makes == GradientKernel::Makes::sums) {
    sharedBytes = 0;
  }
  // Accumulators; P and dP, or what they become, and slopes beside them; numbers of columns, unless they come when they are needed; an
  // operand rounded.
  tileRegisters = (kernel.ofX ? xCols / 2 : 0) + (kernel.ofY ? yCols / 2 : 0) +
                  cols / 2 * (kernel.pass->slope && kernel.ofX ? 3 : 2) +
                  (kernel.pass->ofKeys && !numbered ? cols / 4 : 0) + cols / 4;
  listRows = tileBlocksOf(program, *kernel.pass).rows;
  superRows = groups && listRows == schedule.getWorkerRows();
  if (superRows)
    listRows = schedule.getBlockRows();
}

} // namespace tercet::compiler
