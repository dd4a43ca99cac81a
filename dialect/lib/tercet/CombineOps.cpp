// Verifiers of project, gate and combine (docs/spec.md#project, #gate, #combine).
#include "Regions.h"

#include "tercet/TableAxis.h"

using namespace mlir;
using namespace tercet::ir;

bool tercet::ir::hasLse(Value branch) {
  Operation *op = branch.getDefiningOp();
  if (auto gate = dyn_cast_or_null<GateOp>(op))
    return hasLse(gate.getInput());
  auto combine = dyn_cast_or_null<CombineOp>(op);
  if (!combine)
    return isa_and_nonnull<SparseOp, BlockMeanOp, CompressedOp>(op);
  switch (combine.getKind()) {
  case CombineKind::Sum:
    return llvm::count_if(combine.getBranches(), hasLse) == 1;
  case CombineKind::Joint:
    return true;
  case CombineKind::ByHead:
    break;
  }
  return llvm::all_of(combine.getBranches(), hasLse);
}

LogicalResult ProjectOp::verify() {
  if (!getInput().getDefiningOp<LinearOp>())
    return emitOpError("C1: projects a branch that tercet.linear did not make");
  for (Value weight : {getW(), getB()})
    if (!isa<BlockArgument>(weight) || !weight.hasOneUse())
      return emitOpError("C2: w and b must be arguments of the spec that nothing else uses");
  return success();
}

static bool isJoint(Operation *op) {
  auto combine = dyn_cast_or_null<CombineOp>(op);
  return combine && combine.getKind() == CombineKind::Joint;
}

LogicalResult GateOp::verify() {
  Operation *input = getInput().getDefiningOp();
  if (!isa_and_nonnull<SparseOp, CompressedOp, LinearOp, ProjectOp>(input) && !isJoint(input))
    return emitOpError("C1: gates a branch that sparse, compressed, linear, project or combine joint did not make");
  return success();
}

LogicalResult GateOp::verifyRegions() {
  SmallVector<Type> indices(4, IndexType::get(getContext()));
  if (failed(verifySignature(*this, getFactor(), indices, Float32Type::get(getContext()), "C2")))
    return failure();
  return verifyPairOps(*this, getFactor(), "C3");
}

// The op behind a branch and its gate.
static Operation *ungated(Value branch) {
  Operation *op = branch.getDefiningOp();
  auto gate = dyn_cast_or_null<GateOp>(op);
  return gate ? gate.getInput().getDefiningOp() : op;
}

static LogicalResult verifySum(CombineOp op) {
  unsigned linear = 0;
  for (Value branch : op.getBranches()) {
    Operation *input = ungated(branch);
    bool isCombined = isa_and_nonnull<CombineOp>(input) && !isJoint(input);
    if (!input || isCombined || isa<BlockMeanOp>(input))
      return op.emitOpError(
                 "C1: sum takes branches of sparse, compressed, linear, project and combine joint, or gates of "
                 "these, not ")
             << (input ? input->getName().getStringRef() : StringRef("an argument"));
    linear += isa<LinearOp, ProjectOp>(input);
  }
  if (linear > 1)
    return op.emitOpError("C1: sum has ") << linear << " linear branches; expected one at most";
  return success();
}

static LogicalResult verifyJoint(CombineOp op) {
  SparseOp before;
  for (Value branch : op.getBranches()) {
    Operation *input = branch.getDefiningOp();
    if (!isa_and_nonnull<SparseOp, CompressedOp, BlockMeanOp>(input))
      return op.emitOpError("C2: joint takes branches of sparse, compressed and block_mean, not ")
             << (input ? input->getName().getStringRef() : StringRef("an argument"));
    if (auto means = dyn_cast<BlockMeanOp>(input)) {
      if (!before || before.getClasses() != means.getClasses())
        return op.emitOpError("C3: a tercet.block_mean branch follows the tercet.sparse branch of its classes");
      if (before.getScale() != means.getScale())
        return op.emitOpError("C3: joint needs the same scale on the block means and on the sparse branch before them");
    }
    before = dyn_cast<SparseOp>(input);
  }
  return success();
}

static LogicalResult verifyByHead(CombineOp op) {
  for (Value branch : op.getBranches()) {
    Operation *input = branch.getDefiningOp();
    auto combined = dyn_cast_or_null<CombineOp>(input);
    if (!input || isa<BlockMeanOp>(input) || (combined && combined.getKind() == CombineKind::ByHead))
      return op.emitOpError("C4: by_head takes branches other than block_mean and by_head");
  }
  for (Operation *user : op->getUsers())
    if (!isa<ReturnOp>(user))
      return op.emitOpError("C4: by_head makes what the spec returns, and nothing else uses it");
  auto table = op.getChoice() ? dyn_cast<TableType>(op.getChoice().getType()) : TableType();
  if (!table || !isa<BlockArgument>(op.getChoice()) || !table.hasAxes({tercet::TableAxis::head}) ||
      table.getElementType().isF32())
    return op.emitOpError("C5: by_head needs a choice that is an argument of type table<[head], i32>");
  return success();
}

LogicalResult CombineOp::verify() {
  static constexpr StringRef labels[] = {"C1", "C2", "C4"};
  if (getBranches().size() < 2)
    return emitOpError() << labels[static_cast<size_t>(getKind())] << ": " << stringifyCombineKind(getKind()) << " has "
                         << getBranches().size() << " branches, expected 2 or more";
  if (getChoice() && getKind() != CombineKind::ByHead)
    return emitOpError("C5: only by_head has a choice");
  switch (getKind()) {
  case CombineKind::Sum:
    return verifySum(*this);
  case CombineKind::Joint:
    return verifyJoint(*this);
  case CombineKind::ByHead:
    break;
  }
  return verifyByHead(*this);
}
