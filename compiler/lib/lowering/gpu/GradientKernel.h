// The kernel of a pass of the backward (Gradient.h) by warps of 16 rows (mma.sync, cp.async: sm_80 on).
//
// Rows are queries and columns keys, or the reverse. With X = Q, K and Y = dO, V by rows and by columns, tile by tile of columns:
//
//   S = X X'^T,  P = 2^(S unit + shift),  dP = Y Y'^T,  dS = P (dP - sum),  dX += dS X',  and of keys  dV += P Y'
//
// where shift and sum belong to queries. A score region stands between S and P, and dS is multiplied by its derivative; pairs that a
// mask forbids have P = 0, and tiles without others are not visited. The rows' X and Y stay in shared memory; tiles of columns come
// through two rings. Block means as rows or columns have the exponent log2 n_j more, and are sums of planes (GradientMeans.cpp).
#pragma once

#include "GpuKernelBuilder.h"

namespace tercet::compiler {

/// A kernel of a pass: it makes the gradient of X, of Y (keys alone), or both.
struct GradientKernel {
  std::string name;
  const GradientPass *pass = nullptr;
  bool ofX = true, ofY = false;
};

/// Everything that follows from a kernel and its schedule: extents of tiles, rings, and where they lie in shared memory.
struct GradientLayout {
  GradientLayout(mlir::MLIRContext &context, const GpuProgram &program, const GradientKernel &kernel,
                 tkern::GpuScheduleAttr schedule);
  mlir::Type element;
  int64_t xCols, yCols;     ///< head dimensions rounded up to what a product takes
  int64_t planesX, planesY; ///< of block means, a slot each; else 1
  int64_t colPlanesY;       ///< of the columns' Y
  tkern::RingType rowsX, rowsY, colsX, colsY;
  int64_t rowsYAt, colsXAt, colsYAt, stepsAt, sharedBytes; ///< stepsAt: the list of steps that a mask alone leaves
  int64_t tileRegisters; ///< 32-bit registers of a thread that accumulators and tiles of pairs take
};

mlir::OwningOpRef<mlir::ModuleOp> lowerGradient(mlir::MLIRContext &context, const GpuProgram &program,
                                                const GradientKernel &kernel, tkern::GpuScheduleAttr schedule);

} // namespace tercet::compiler
