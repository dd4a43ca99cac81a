// Products in flight: verifiers. A result exists only behind tkern.await; an accumulator rests until then.
#include "tercet/dialect/TkernDialect.h"

using namespace mlir;
using namespace tercet::tkern;

namespace {

bool isHalf(Type type) { return type.isBF16() || type.isF16(); }

bool isSwizzled(ViewType view) { return view.getSpace() == Space::Shared && view.getLayout() == Layout::Swizzled; }

LogicalResult verifyExtents(Operation *op, int64_t rows, int64_t cols, int64_t depth) {
  if (rows != 64 || cols < 8 || cols > 256 || cols % 8 != 0 || depth < 16 || depth % 16 != 0)
    return op->emitOpError("C2: is a product of ") << rows << "x" << cols << " over " << depth
                                                   << "; expected 64 rows, 8 to 256 columns in steps of 8, a depth in "
                                                      "steps of 16";
  return success();
}

/// The one await of a product, in its own block; emits C3 and returns null otherwise.
AwaitOp awaitOf(Operation *product) {
  Value result = product->getResult(0);
  auto await = result.hasOneUse() ? dyn_cast<AwaitOp>(*result.user_begin()) : AwaitOp();
  if (await && await->getBlock() == product->getBlock())
    return await;
  product->emitOpError("C3: is awaited ")
      << llvm::range_size(result.getUsers()) << " times, expected once and in the same block";
  return {};
}

} // namespace

LogicalResult MatmulAsyncOp::verify() {
  ViewType a = getA().getType(), b = getB().getType();
  if (!isHalf(b.getElementType()) || a.getElementType() != b.getElementType() || !isSwizzled(b) ||
      !(isSwizzled(a) || a.getSpace() == Space::Register))
    return emitOpError("C1: multiplies ")
           << a << " by " << b << "; expected bf16 or f16, B swizzled, A swizzled or in registers";
  int64_t depth = getDepth();
  PendingType pending = getPending().getType();
  if (failed(verifyExtents(*this, a.getRows(), b.getRows(), depth)))
    return failure();
  if (a.getCols() < depth || b.getCols() < depth || pending.getRows() != a.getRows() ||
      pending.getCols() != b.getRows())
    return emitOpError("C2: multiplies ") << a << " by " << b << " over " << depth << " into " << pending;
  return success(awaitOf(*this) != nullptr);
}

LogicalResult AccumulateAsyncOp::verify() {
  TileType p = getP().getType();
  ViewType b = getB().getType(), acc = getAcc().getType();
  if (!isHalf(b.getElementType()) || !isSwizzled(b))
    return emitOpError("C1: multiplies by ") << b << ", expected swizzled shared memory of bf16 or f16";
  if (failed(verifyExtents(*this, p.getRows(), acc.getCols(), p.getCols())))
    return failure();
  if (b.getRows() != p.getCols() || b.getCols() < acc.getCols() || acc.getRows() != p.getRows())
    return emitOpError("C2: adds ") << p << " x " << b << " to " << acc;
  if (acc.getSpace() != Space::Register)
    return emitOpError("C4: accumulates into ") << acc << ", expected a register view";
  AwaitOp await = awaitOf(*this);
  if (!await)
    return failure();
  for (Operation *user : getAcc().getUsers()) {
    Operation *inBlock = (*this)->getBlock()->findAncestorOpInBlock(*user);
    if (inBlock && (*this)->isBeforeInBlock(inBlock) && inBlock->isBeforeInBlock(await)) {
      InFlightDiagnostic diagnostic = user->emitOpError("accumulate_async C4: touches an accumulator in flight");
      diagnostic.attachNote(getLoc()) << "the product that writes it";
      return diagnostic;
    }
  }
  return success();
}

LogicalResult AwaitOp::verify() {
  auto pending = dyn_cast<PendingType>(getProduct().getType());
  TileType tile = getTile() ? cast<TileType>(getTile().getType()) : TileType();
  bool matches = pending ? tile && tile.getRows() == pending.getRows() && tile.getCols() == pending.getCols() : !tile;
  if (!matches)
    return emitOpError("C1: makes ") << (tile ? Type(tile) : Type(NoneType::get(getContext()))) << " of "
                                     << getProduct().getType();
  Operation *product = getProduct().getDefiningOp();
  if (!product || product->getBlock() != (*this)->getBlock())
    return emitOpError("C1: waits for a product of another block");
  int64_t later = 0;
  for (Operation *op = product->getNextNode(); op && op != getOperation(); op = op->getNextNode())
    later += isa<MatmulAsyncOp, AccumulateAsyncOp>(op);
  if (static_cast<int64_t>(getLater()) != later)
    return emitOpError("C2: has later ") << getLater() << ", but " << later << " products start before the wait";
  return success();
}
