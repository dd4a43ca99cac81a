// The kernel of a pass of the backward (Gradient.h): by warps of 16 rows (mma.sync, cp.async: sm_80 on) or by warpgroups of 64
// (wgmma, box copies, roles: sm_90a).
//
// Rows are queries and columns keys, or the reverse. With X = Q, K and Y = dO, V by rows and by columns, tile by tile of columns:
//
//   S = X X'^T,  P = 2^(S unit + shift),  dP = Y Y'^T,  dS = P (dP - sum),  dX += dS X',  and of keys  dV += P Y'
//
// where shift and sum belong to queries. A score region stands between S and P, and dS is multiplied by its derivative; pairs that a
// mask forbids have P = 0, and tiles without others are not visited. The rows' X and Y stay in shared memory; tiles of columns come
// through two rings. Rows are the left side of every product, so that P and dS become left operands where they are, in registers: of
// keys that is P and dS transposed. Block means as rows or columns have the exponent log2 n_j more, and are sums of planes
// (GradientMeans.cpp).
#pragma once

#include "GpuKernelBuilder.h"
#include "WarpgroupTiles.h"

namespace tercet::compiler {

/// A kernel of a pass: it makes the gradient of X, of Y (keys alone), or both.
struct GradientKernel {
  /// Or what blocks of keys need that come longest first, in parts (GradientItems.h): how many steps their lines have, or the sums of the
  /// parts of lines.
  enum class Makes { gradients, counts, sums };

  std::string name;
  const GradientPass *pass = nullptr;
  bool ofX = true, ofY = false;
  Makes makes = Makes::gradients;
  int64_t lineRows = 0;    ///< of an item's line; 0: blocks have their rows in order
  int64_t countedCols = 0; ///< of a step, where steps are counted
  std::string items;       ///< what the buffers of its lines are called before their own names
};

/// Everything that follows from a kernel and its schedule: extents of tiles, rings, and where they lie in shared memory.
struct GradientLayout {
  GradientLayout(mlir::MLIRContext &context, const GpuProgram &program, const GradientKernel &kernel,
                 tkern::GpuScheduleAttr schedule);
  mlir::Type element;
  int64_t xCols, yCols;     ///< head dimensions rounded up to what a product takes
  int64_t planesX, planesY; ///< of block means, a slot each; else 1
  int64_t colPlanesY;       ///< of the columns' Y
  int64_t listRows;         ///< rows that have a list together: of a block of the pairs' classes, or of a super row
  tkern::RingType rowsX, rowsY, colsX, colsY;
  int64_t rowsYAt, colsXAt, colsYAt, stepsAt, sharedBytes; ///< stepsAt: the list of steps that a mask alone leaves
  bool numbered;          ///< numbers of queries that are columns come with their tiles
  int64_t tileRegisters;  ///< 32-bit registers of a thread that accumulators and tiles of pairs take
  bool superRows = false; ///< warpgroups have a block each, and take the union of their lists
};

/// What numbers of a head's queries are padded to in their buffers: the most columns of a step.
inline constexpr int64_t queryNumbersPad = 128;

/// The blocks that a pass's rows and columns follow; 0 where there are no lists.
TileBlocks tileBlocksOf(const GpuProgram &program, const GradientPass &pass);

/// Times the mean of a pair, beyond which a line of columns is split: what is shorter, other blocks hide; half of it would take twice
/// the workspace.
inline constexpr int64_t longColumns = 4;

/// Whether rows are keys of which some are seen by more queries than others, in blocks.
bool hasUnequalColumns(const GpuProgram &program, const GradientPass &pass);

/// Legal schedules of a kernel for a target, best first; may be none. remarks gets a sentence where the warpgroup form is passed
/// over on a target that has it; pruned, where it is given, one per schedule that is not legal.
std::vector<tkern::GpuScheduleAttr> gradientSchedules(mlir::MLIRContext &context, const GpuProgram &program,
                                                      const GradientKernel &kernel, const CudaTarget &target,
                                                      std::vector<std::string> &remarks,
                                                      std::vector<std::string> *pruned = nullptr);

/// The kernel in a schedule, as a form of its stage.
GpuForm gradientForm(mlir::MLIRContext &context, const GpuProgram &program, const GradientKernel &kernel,
                     tkern::GpuScheduleAttr schedule, const std::array<Expr, 3> &grid);

mlir::OwningOpRef<mlir::ModuleOp> lowerGradient(mlir::MLIRContext &context, const GpuProgram &program,
                                                const GradientKernel &kernel, tkern::GpuScheduleAttr schedule);

} // namespace tercet::compiler
