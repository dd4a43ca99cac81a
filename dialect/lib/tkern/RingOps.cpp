// Rings: verifiers. What hangs or races is refused here: a slot that is read while it is filled, or never released.
#include "tercet/dialect/TkernDialect.h"

using namespace mlir;
using namespace tercet::tkern;

namespace {

bool isTma(Value ring) { return cast<RingType>(ring.getType()).getCopy() == CopyKind::Tma; }

/// The last op of `block` that reads the memory of `view`, as it is or through a subview; a product in flight reads
/// until it is awaited. Null: no use.
Operation *lastUse(Value view, Block *block) {
  Operation *last = nullptr;
  auto later = [&](Operation *op) {
    op = block->findAncestorOpInBlock(*op);
    if (op && (!last || last->isBeforeInBlock(op)))
      last = op;
  };
  for (Operation *user : view.getUsers()) {
    later(user);
    if (isa<SubviewOp>(user)) {
      if (Operation *inner = lastUse(user->getResult(0), block))
        later(inner);
    } else if (isa<MatmulAsyncOp, AccumulateAsyncOp>(user)) {
      for (Operation *await : user->getResult(0).getUsers())
        later(await);
    }
  }
  return last;
}

/// Whether a wait on any thread-copied ring, the block's barrier, lies between two ops of one block; from > to goes
/// round the end of a loop body.
bool hasBarrierBetween(Operation *from, Operation *to) {
  Block *block = from->getBlock();
  bool wraps = !from->isBeforeInBlock(to);
  for (Operation &op : *block) {
    auto wait = dyn_cast<WaitOp>(op);
    if (!wait || isTma(wait.getRing()))
      continue;
    bool afterFrom = from->isBeforeInBlock(&op), beforeTo = op.isBeforeInBlock(to);
    if (wraps ? afterFrom || beforeTo : afterFrom && beforeTo)
      return true;
  }
  return false;
}

/// The wait on the ring's slots that comes last before a fill; at the head of a loop body, of the round before.
WaitOp waitBefore(FillOp fill) {
  WaitOp before, last;
  for (WaitOp wait : fill->getBlock()->getOps<WaitOp>()) {
    if (wait.getRing() != fill.getRing())
      continue;
    last = wait;
    if (wait->isBeforeInBlock(fill))
      before = wait;
  }
  return before || !isa<scf::ForOp>(fill->getParentOp()) ? before : last;
}

/// Whether, in every scf.if around `op` within its role, the branch without `op` has an op of the same kind that
/// `matches`: what all workers have to do, they do on either way.
template <typename Op> bool hasTwins(Op op, function_ref<bool(Op)> matches) {
  for (Operation *inner = op; !isa<RolesOp>(inner->getParentOp()); inner = inner->getParentOp()) {
    auto branch = dyn_cast<scf::IfOp>(inner->getParentOp());
    if (!branch)
      continue;
    Region &own = *inner->getParentRegion();
    Region &other = &own == &branch.getThenRegion() ? branch.getElseRegion() : branch.getThenRegion();
    WalkResult found =
        other.walk([&](Op twin) { return matches(twin) ? WalkResult::interrupt() : WalkResult::advance(); });
    if (!found.wasInterrupted())
      return false;
  }
  return true;
}

} // namespace

LogicalResult RingOp::verify() {
  int64_t alignment = getRing().getType().getCopy() == CopyKind::Tma ? 1024 : 16;
  if (std::optional<uint64_t> offset = getOffset(); offset && *offset % alignment != 0)
    return emitOpError("C1: lies at ") << *offset << ", expected a multiple of " << alignment;
  if (std::optional<uint64_t> readers = getReaders(); readers && static_cast<int64_t>(*readers) < 1)
    return emitOpError("C2: has ") << static_cast<int64_t>(*readers) << " readers, expected at least one";
  if (getNumbered() && !isTma(getRing()))
    return emitOpError("C3: is numbered, which only tma rings are");
  return success();
}

void FillOp::build(OpBuilder &builder, OperationState &state, Value ring, Value step, Value source, ValueRange position,
                   Value rows) {
  build(builder, state, ring, step, source, position, rows, /*numbers=*/Value());
}

static bool isNumbered(Value ring) {
  auto op = ring.getDefiningOp<RingOp>();
  return op && op.getNumbered();
}

static LogicalResult verifyFillSource(FillOp fill) {
  RingType ring = fill.getRing().getType();
  auto view = dyn_cast<ViewType>(fill.getSource().getType());
  auto map = dyn_cast<TensorMapType>(fill.getSource().getType());
  size_t positions = view ? 1 : 3;
  if (isTma(fill.getRing()) != static_cast<bool>(map) || fill.getPosition().size() != positions ||
      (view && view.getSpace() != Space::Global))
    return fill.emitOpError("C1: fills a ")
           << stringifyCopyKind(ring.getCopy()) << " ring from " << fill.getSource().getType() << " at "
           << fill.getPosition().size()
           << " positions; expected a global view at 1 (cp_async) or a tensor map at 3 (tma)";
  Type element = view ? view.getElementType() : map.getElementType();
  int64_t cols = view ? view.getCols() : map.getCols();
  bool boxesFit = !map || (map.getRows() == ring.getSlot().getRows() && ring.getSlot().getCols() % cols == 0 &&
                           cols == ring.getSlot().getStride());
  if (element != ring.getSlot().getElementType() || cols > ring.getSlot().getCols() || !boxesFit)
    return fill.emitOpError("C2: ") << fill.getSource().getType() << " does not fit into slots of " << ring.getSlot();
  if (map && fill.getRows())
    return fill.emitOpError("C3: a tensor map knows its rows; `rows` is for views");
  ViewType numbers = fill.getNumbers() ? cast<ViewType>(fill.getNumbers().getType()) : ViewType();
  bool isColumn =
      numbers && numbers.getSpace() == Space::Global && numbers.getCols() == 1 && numbers.getElementType().isF32();
  if (isNumbered(fill.getRing()) != static_cast<bool>(numbers) || (numbers && !isColumn))
    return fill.emitOpError("C6: fills ")
           << (isNumbered(fill.getRing()) ? "a numbered ring" : "a ring without numbers") << " with "
           << (numbers ? Type(numbers) : Type(NoneType::get(fill.getContext())))
           << "; numbered rings take a global view of one column of f32";
  return success();
}

LogicalResult FillOp::verify() {
  if (failed(verifyFillSource(*this)))
    return failure();
  if (isTma(getRing())) {
    if (!RolesOp::inProducer(*this))
      return emitOpError("C5: fills a tma ring outside the producer region");
    return success();
  }
  WaitOp last = waitBefore(*this);
  if (!last)
    return success();
  Operation *use = lastUse(last.getView(), (*this)->getBlock());
  if (!hasBarrierBetween(use ? use : last, *this)) {
    InFlightDiagnostic diagnostic = emitOpError("C4: overwrites a slot that other warps may still read; no wait lies "
                                                "between its last use and this fill");
    diagnostic.attachNote(use ? use->getLoc() : last.getLoc()) << "the slot's last use";
    return diagnostic;
  }
  return success();
}

LogicalResult WaitOp::verify() {
  if (getView().getType() != getRing().getType().getSlot())
    return emitOpError("C1: sees ") << getView().getType() << ", the slots are " << getRing().getType().getSlot();
  int64_t later = getLater();
  if (later < 0 || (later != 0 && isTma(getRing())))
    return emitOpError("C2: has later ") << later << "; it is >= 0, and 0 on a tma ring";
  if (!isTma(getRing()))
    return success();
  if (!RolesOp::inConsumer(*this))
    return emitOpError("C3: waits on a tma ring outside the consumer region");
  SmallVector<ReleaseOp> releases;
  for (ReleaseOp release : (*this)->getBlock()->getOps<ReleaseOp>())
    if (release.getRing() == getRing() && release.getStep() == getStep())
      releases.push_back(release);
  if (releases.size() != 1)
    return emitOpError("C4: its slot is released ") << releases.size() << " times in this block, expected once";
  Operation *use = lastUse(getView(), (*this)->getBlock());
  if (use && !use->isBeforeInBlock(releases[0])) {
    InFlightDiagnostic diagnostic = releases[0].emitOpError("wait C4: comes before the slot's last use");
    diagnostic.attachNote(use->getLoc()) << "which is here";
    return diagnostic;
  }
  auto isSameStep = [&](WaitOp other) { return other.getRing() == getRing() && other.getStep() == getStep(); };
  if (!hasTwins<WaitOp>(*this, isSameStep))
    return emitOpError("C5: waits for a step in one branch only; the workers of the other one never release its slot");
  return success();
}

LogicalResult ColumnNumbersOp::verify() {
  RingType ring = getRing().getType();
  if (!isNumbered(getRing()))
    return emitOpError("C1: reads numbers of a ring without");
  if (getTile().getType().getCols() != ring.getSlot().getRows())
    return emitOpError("C2: makes ") << getTile().getType() << " of " << ring.getSlot().getRows() << " numbers";
  for (Operation *user : getRing().getUsers()) {
    auto wait = dyn_cast<WaitOp>(user);
    if (!wait || wait.getStep() != getStep())
      continue;
    Operation *inBlock = wait->getBlock()->findAncestorOpInBlock(*getOperation());
    if (!inBlock || !wait->isBeforeInBlock(inBlock))
      continue;
    bool released = llvm::any_of(wait->getBlock()->getOps<ReleaseOp>(), [&](ReleaseOp release) {
      return release.getRing() == getRing() && release.getStep() == getStep() && release->isBeforeInBlock(inBlock);
    });
    if (!released)
      return success();
  }
  return emitOpError("C3: reads numbers of a step outside of its wait and release");
}

LogicalResult ReleaseOp::verify() {
  if (!isTma(getRing()))
    return emitOpError("C1: releases a slot of a cp_async ring, which is free at the next wait");
  for (WaitOp wait : (*this)->getBlock()->getOps<WaitOp>())
    if (wait.getRing() == getRing() && wait.getStep() == getStep() && wait->isBeforeInBlock(*this))
      return success();
  return emitOpError("C2: releases a step that was not waited for in this block");
}

LogicalResult ClearRowsOp::verify() {
  if (getView().getType().getLayout() != Layout::Swizzled || !RolesOp::inConsumer(*this))
    return emitOpError("C1: clears ") << getView().getType()
                                      << "; expected swizzled shared memory, in the consumer region";
  auto clearsAsMany = [&](ClearRowsOp other) { return other.getRows() == getRows(); };
  if (!hasTwins<ClearRowsOp>(*this, clearsAsMany))
    return emitOpError("C2: clears rows in one branch only; the workers of the other one do not come to its barrier");
  return success();
}
