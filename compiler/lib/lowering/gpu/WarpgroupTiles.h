// Which tiles warpgroups take: the rules that all kernels with a warpgroup form have in common.
#pragma once

#include "tercet/compiler/cuda/GpuProgram.h"

namespace tercet::compiler {

/// The blocks that a kernel's rows and columns follow, and what they are blocks of; 0: none.
struct TileBlocks {
  int64_t rows, cols;
  llvm::StringRef rowsOf = "query", colsOf = "key";
};

/// Empty where warpgroups can run a stage, or a pass over its pairs, in these blocks.
std::string whyNotWarpgroups(const GpuProgram &program, const AttendStage &stage, const TileBlocks &blocks);

} // namespace tercet::compiler
