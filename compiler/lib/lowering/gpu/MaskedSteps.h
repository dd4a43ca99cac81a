// MaskedSteps: the tiles of columns in which a mask alone leaves a block of rows some pair, found on the way.
#pragma once

#include "GpuPairScope.h"
#include "tercet/compiler/cuda/GpuProgram.h"

namespace tercet::compiler {

/// Rows and columns are queries and keys, or the other way round.
struct MaskedSteps {
  llvm::StringRef col;               ///< what names call a column
  unsigned rowArgument, colArgument; ///< of the mask
  mlir::Value firstRow, liveRows;    ///< of the block, of its head
  int64_t blockRows;
  mlir::Value cols;                            ///< live ones, 0 where the block has no rows
  int64_t colsPerStep, listAt;                 ///< listAt: where in shared memory a window's list lies (stepListBytes)
  llvm::SmallVector<mlir::Value, 2> part = {}; ///< of the steps: the first one and the end; empty: all
};

/// Runs `body` for window after window of the steps that `mask`, which was started, leaves: with the list of a window's steps, and how
/// many these are. Under a token order a block's rows are of one block of queries.
void eachWindow(GpuPairScope &scope, const GpuProgram &program, const PairRegion &mask, const MaskedSteps &of,
                llvm::function_ref<void(mlir::Value window, mlir::Value steps)> body);

} // namespace tercet::compiler
