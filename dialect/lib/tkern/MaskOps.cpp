// Ops on masks: verifiers.
#include "tercet/dialect/TkernDialect.h"

using namespace mlir;
using namespace tercet::tkern;

// A region that gets two i32 and answers `count` i1.
static LogicalResult verifyRule(Operation *op, Region &region, size_t count) {
  Block &block = region.front();
  Type i32 = IntegerType::get(op->getContext(), 32);
  if (block.getArgumentTypes() != TypeRange({i32, i32}))
    return op->emitOpError("C1: has a rule that gets (") << block.getArgumentTypes() << "), expected ('i32', 'i32')";
  auto answer = block.empty() ? AnswerOp() : dyn_cast<AnswerOp>(block.back());
  if (!answer || answer.getValues().size() != count)
    return op->emitOpError("C1: has a rule without an answer of ") << count << " i1";
  return success();
}

LogicalResult StepWindowsOp::verifyRegions() {
  if (failed(verifyRule(*this, getRule(), 2)))
    return failure();
  Type list = StepListType::get(getContext()), index = IndexType::get(getContext());
  if (TypeRange types = getBody().getArgumentTypes(); types != TypeRange({list, index}))
    return emitOpError("C2: has a body that gets (") << types << "), expected (" << list << ", 'index')";
  if (!getPart().empty() && getPart().size() != 2)
    return emitOpError("C3: has a part of ") << getPart().size() << " numbers, expected the first step and the end";
  return success();
}

LogicalResult VotePairsOp::verifyRegions() { return verifyRule(*this, getMask(), 1); }
