// Verifier of token_order (docs/spec.md#token_order).
#include "OrderOps.h"
#include "ParamOperands.h"

#include "tercet/TokenOrder.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::ir;

LogicalResult TokenOrderOp::verify() {
  if (failed(verifyParamOperands(*this)))
    return failure();
  size_t axes = getGrid().size();
  if (axes < 1 || axes > TokenOrder::axes || axes != getTile().size())
    return emitOpError("C1: the grid has ")
           << axes << " axes and the tile " << getTile().size() << "; expected 1 to 3, the same number of both";
  for (Value size : getGrid())
    if (ParamOp param = paramOf(size); param.getInteger() < 1 || param.getInteger() > TokenOrder::largestAxis)
      return emitOpError("C2: ") << param.getName() << " is " << param.getInteger() << "; expected from 1 to "
                                 << TokenOrder::largestAxis;
  for (Value size : getTile())
    if (ParamOp param = paramOf(size); param.getInteger() < 1)
      return emitOpError("C3: ") << param.getName() << " is " << param.getInteger() << "; expected at least 1";
  return success();
}

// The tokens of a whole tile; more than any block holds where these are many.
static int64_t tileTokens(TokenOrderOp order) {
  constexpr int64_t many = 1 << 20;
  int64_t tokens = 1;
  for (Value size : order.getTile())
    tokens = std::min(many, tokens * std::min(many, paramOf(size).getInteger()));
  return tokens;
}

LogicalResult tercet::ir::verifyOrders(SpecOp spec) {
  TokenOrderOp first;
  for (TokenOrderOp order : spec.getBody().getOps<TokenOrderOp>()) {
    if (first) {
      InFlightDiagnostic diagnostic = order.emitOpError("C4: a second token order in one spec");
      diagnostic.attachNote(first.getLoc()) << "the first one is here";
      return diagnostic;
    }
    first = order;
  }
  if (!first)
    return success();
  Operation *classification = spec.getClassification();
  if (!classification)
    return first.emitOpError("C4: the spec does not classify, so it has no blocks to order");
  std::optional<BlockSizes> blocks = blocksOf(classification);
  int64_t tokens = tileTokens(first);
  if (blocks && (blocks->queries != tokens || blocks->keys != tokens))
    return first.emitOpError("C3: a tile holds ")
           << tokens << " tokens; the blocks of the classification are " << blocks->queries << " x " << blocks->keys;
  for (CompressedScoresOp op : spec.getBody().getOps<CompressedScoresOp>()) {
    InFlightDiagnostic diagnostic =
        op.emitOpError("C7: beside a token order, under which blocks are no runs of tokens; score by pooled_scores");
    diagnostic.attachNote(first.getLoc()) << "the token order is here";
    return diagnostic;
  }
  for (CompressedOp op : spec.getBody().getOps<CompressedOp>()) {
    auto differs = [&](Value size) { return size && paramOf(size).getInteger() != tokens; };
    if (differs(op.getLength()) || differs(op.getStride()) || differs(op.getQueries()))
      return op.emitOpError("C8: under a token order pools are its tiles, of ")
             << tokens << " tokens; expected these for length, stride and queries";
  }
  return success();
}

TokenOrderOp tercet::ir::tokenOrderOf(SpecOp spec) {
  for (TokenOrderOp order : spec.getBody().getOps<TokenOrderOp>())
    return order;
  return {};
}
