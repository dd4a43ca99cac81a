// Verifiers of the ops that make scores, and the blocks of an op (docs/spec.md#pooled_scores, #sampled_scores,
// #given_scores).
#include "Blocks.h"
#include "ParamOperands.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tercet::ir;

// The parameters that hold the sizes of an op's blocks; null where it has none.
static std::pair<ParamOp, ParamOp> blockParams(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::pair<ParamOp, ParamOp>>(op)
      .Case<PooledScoresOp, SampledScoresOp, GivenScoresOp, BlockSetOp>(
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
  for (ParamOp block : {queries, keys})
    if (int64_t size = block.getInteger(); size < 16 || size > 256 || size % 16 != 0)
      return op->emitOpError("C1: ") << block.getName() << " is " << size
                                     << "; a block size is a multiple of 16 from 16 to 256";
  return success();
}

LogicalResult PooledScoresOp::verify() {
  if (failed(verifyBlocks(*this)))
    return failure();
  if (ParamOp guard = paramOf(getGuard()); guard && guard.isAuto())
    return emitOpError("C2: ") << guard.getName() << " is auto; give a number";
  return success();
}

LogicalResult SampledScoresOp::verify() {
  if (failed(verifyBlocks(*this)))
    return failure();
  ParamOp stride = paramOf(getStride());
  if (!llvm::is_contained({2, 4, 8, 16}, stride.getInteger()))
    return emitOpError("C2: ") << stride.getName() << " is " << stride.getInteger() << "; expected 2, 4, 8 or 16";
  return success();
}

LogicalResult GivenScoresOp::verify() {
  if (failed(verifyBlocks(*this)))
    return failure();
  auto table = cast<TableType>(getTable().getType());
  int64_t axes[] = {TableType::Batch, TableType::Head, TableType::QueryBlock, TableType::KeyBlock};
  if (!isa<BlockArgument>(getTable()) || table.getAxes() != ArrayRef<int64_t>(axes) || !table.getElementType().isF32())
    return emitOpError("C2: table is ") << table << "; expected an argument of type table<[batch, head, query_block, "
                                        << "key_block], f32>";
  return success();
}
