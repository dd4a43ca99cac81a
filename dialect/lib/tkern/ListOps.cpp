// Entries of the lists of super rows: verifiers.
#include "tercet/dialect/TkernDialect.h"

using namespace mlir;
using namespace tercet::tkern;

/// C1 of both ops: a key block or a number of keys is no entry.
template <typename Op> static LogicalResult verifyEntry(Op op) {
  auto read = op.getEntry().template getDefiningOp<ReadOp>();
  if (read && read.getPointer().getType().getElementType().isInteger(32))
    return success();
  return op.emitOpError("C1: takes apart a value that is not read from a list of 32-bit integers");
}

LogicalResult EntryBlockOp::verify() { return verifyEntry(*this); }

LogicalResult EntryTakesOp::verify() {
  if (failed(verifyEntry(*this)))
    return failure();
  if (!RolesOp::inConsumer(*this))
    return emitOpError("C2: stands outside the consumer region; what is loaded is loaded for all workers");
  return success();
}
