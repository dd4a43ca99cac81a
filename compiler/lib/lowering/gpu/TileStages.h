// Stages of a token order around those of its blocks (decision 18): copies of Q, K and V, and of what else a backward takes by tokens, in
// the order of tiles, in which a block is a run of places; and O and LSE, or the gradients, back.
#pragma once

#include "StageKernel.h"

namespace tercet::compiler {

void addTileStages(std::vector<GpuStage> &stages, mlir::MLIRContext &context, const GpuProgram &program);
void addUntileStages(std::vector<GpuStage> &stages, mlir::MLIRContext &context, const GpuProgram &program);

/// The copies, and tables of the tokens of blocks.
void addTileBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program);

/// What a stage that works on the copies takes for the tensor or size `symbol`: a buffer (name), or a value; nothing where
/// the symbol means the same to it.
struct TiledSlot {
  std::string buffer;
  Expr value;
};
std::optional<TiledSlot> tiledSlot(const GpuProgram &program, llvm::StringRef symbol);

} // namespace tercet::compiler
