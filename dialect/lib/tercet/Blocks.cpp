// The blocks of the ops that have them: which parameters hold their sizes, and what sizes are legal.
#include "Blocks.h"
#include "ParamOperands.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tercet::ir;

// The parameters that hold the sizes of an op's blocks; null where it has none.
static std::pair<ParamOp, ParamOp> blockParams(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::pair<ParamOp, ParamOp>>(op)
      .Case<PooledScoresOp, SampledScoresOp, CompressedScoresOp, GivenScoresOp, BlockSetOp>(
          [](auto blocks) { return std::pair(paramOf(blocks.getBlockQ()), paramOf(blocks.getBlockK())); })
      .Default([](Operation *) { return std::pair<ParamOp, ParamOp>(); });
}

std::optional<BlockSizes> tercet::ir::blocksOf(Operation *op) {
  if (!op)
    return {};
  if (auto select = dyn_cast<SelectOp>(op))
    return blocksOf(select.getScores().getDefiningOp());
  if (auto pattern = dyn_cast<PatternOp>(op))
    return blocksOf(pattern.getSet().getDefiningOp());
  auto [queries, keys] = blockParams(op);
  if (!queries || !keys)
    return {};
  return BlockSizes{queries.getInteger(), keys.getInteger()};
}

LogicalResult tercet::ir::verifyBlocks(Operation *op) {
  if (failed(verifyParamOperands(op)))
    return failure();
  auto [queries, keys] = blockParams(op);
  bool takesFine = !isa<SampledScoresOp>(op) && queries != keys;
  for (ParamOp block : {queries, keys})
    if (int64_t size = block.getInteger(); size < 16 || size > 256 || size % 16 != 0) {
      if (block == queries && takesFine && llvm::is_contained({1, 2, 4, 8}, size))
        continue;
      return op->emitOpError("C1: ") << block.getName() << " is " << size
                                     << "; a block size is a multiple of 16 from 16 to 256"
                                     << (block == queries && takesFine ? ", of queries also 1, 2, 4 or 8" : "");
    }
  return success();
}
