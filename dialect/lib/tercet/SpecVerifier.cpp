// The verifier of spec: what its arguments, names, body, branches and classes must be (docs/spec.md#spec).
#include "OrderOps.h"
#include "ParamOperands.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace tercet::ir;

static LogicalResult verifyArguments(SpecOp spec) {
  Block &body = spec.getBody().front();
  if (body.getNumArguments() != spec.getArgNames().size())
    return spec.emitOpError("C1: has ") << body.getNumArguments() << " arguments but " << spec.getArgNames().size()
                                        << " names";
  static constexpr StringRef tokenNames[] = {"q", "k", "v"};
  for (auto [index, argument] : llvm::enumerate(body.getArguments())) {
    StringRef name = cast<StringAttr>(spec.getArgNames()[index]).getValue();
    if (index < 3 && (name != tokenNames[index] || !isa<TokensType>(argument.getType())))
      return spec.emitOpError("C1: argument ") << index << " is '" << name << "' of type " << argument.getType()
                                               << "; expected '" << tokenNames[index] << "' of type !tercet.tokens";
    if (index >= 3 && !isa<WeightType, TableType>(argument.getType()))
      return spec.emitOpError("C1: argument '") << name << "' is of type " << argument.getType()
                                                << "; arguments after q, k, v are !tercet.weight and !tercet.table";
    if (index >= 3 && argument.use_empty())
      return spec.emitOpError("C1: argument '") << name << "' is not used";
  }
  if (body.getNumArguments() < 3)
    return spec.emitOpError("C1: has ") << body.getNumArguments() << " arguments, expected at least q, k, v";
  return success();
}

static LogicalResult verifyNames(SpecOp spec) {
  llvm::StringSet<> taken;
  for (StringRef reserved :
       {"q_len", "k_len", "classes", "classes_out", "o", "lse", "do", "dq", "dk", "dv", "dw", "db", "param"})
    taken.insert(reserved);
  for (StringAttr name : spec.getArgNames().getAsRange<StringAttr>()) {
    if (!isIdentifier(name))
      return spec.emitOpError("C2: argument name '") << name.getValue() << "' is not an identifier";
    if (!taken.insert(name.getValue()).second)
      return spec.emitOpError("C2: argument name '") << name.getValue() << "' is taken or reserved";
  }
  for (ParamOp param : spec.getBody().getOps<ParamOp>()) {
    if (!isIdentifier(param.getName()))
      return param.emitOpError("spec C2: parameter name '") << param.getName() << "' is not an identifier";
    if (!taken.insert(param.getName()).second)
      return param.emitOpError("spec C2: parameter name '") << param.getName() << "' is taken or reserved";
  }
  return success();
}

static LogicalResult verifyBody(SpecOp spec) {
  Block &body = spec.getBody().front();
  if (!isa<ReturnOp>(body.back()))
    return spec.emitOpError("C5: ends with '") << body.back().getName() << "', expected tercet.return";
  for (Operation &op : body)
    if (!isa_and_nonnull<TercetDialect>(op.getDialect()))
      return op.emitOpError("spec C5: is not an op of the tercet dialect");
  return success();
}

static LogicalResult verifyTokens(SpecOp spec) {
  Block &body = spec.getBody().front();
  for (Operation &op : body)
    for (auto [index, operand] : llvm::enumerate(op.getOperands()))
      if (isa<TokensType>(operand.getType()) && operand != body.getArgument(index))
        return op.emitOpError("spec C6: takes argument '")
               << argumentName(operand) << "' for its " << cast<StringAttr>(spec.getArgNames()[index]).getValue();
  return success();
}

static LogicalResult verifyBranches(SpecOp spec) {
  for (Operation &op : spec.getBody().front())
    for (Value result : op.getResults())
      if (isa<BranchType>(result.getType()) && !result.hasOneUse())
        return op.emitOpError("spec C7: makes a branch that is ")
               << (result.use_empty() ? "not used" : "used more than once") << "; every branch is used once";
  return success();
}

// The classes that a classification can hold.
static ClassSet heldClasses(Operation *classification) {
  ClassSet held = ClassSet::Critical | ClassSet::Marginal;
  auto select = dyn_cast<SelectOp>(classification);
  return select && (select.getDrop() || select.getForbidden()) ? held | ClassSet::Negligible : held;
}

static LogicalResult verifyCoverage(SpecOp spec) {
  SmallVector<Operation *> makers;
  for (Operation &op : spec.getBody().front())
    if (op.getNumResults() == 1 && isa<ClassesType>(op.getResult(0).getType()))
      makers.push_back(&op);
  if (makers.size() > 1) {
    InFlightDiagnostic diagnostic = makers[1]->emitOpError("spec C4: a second classification in one spec");
    diagnostic.attachNote(makers[0]->getLoc()) << "the first one is here";
    return diagnostic;
  }
  if (makers.empty())
    return success();
  Value classes = makers[0]->getResult(0);
  ClassSet covered{};
  bool isUsed = false;
  for (Operation &user : spec.getBody().front()) {
    auto set = user.getAttrOfType<ClassSetAttr>("set");
    if (!set || !llvm::is_contained(user.getOperands(), classes))
      continue;
    if (bitEnumContainsAny(covered, set.getValue()))
      return user.emitOpError("spec C3: class '")
             << stringifyClassSet(covered & set.getValue()) << "' is covered a second time";
    covered = covered | set.getValue();
    isUsed |= !isa<SkipOp>(user);
  }
  ClassSet missing = heldClasses(makers[0]) & ~covered;
  if (missing != ClassSet{})
    return makers[0]->emitOpError("spec C3: class '")
           << stringifyClassSet(missing) << "' is not covered; give it to a region or to tercet.skip";
  if (!isUsed)
    return makers[0]->emitOpError("spec C3: no region runs on these classes, which tercet.skip covers alone");
  return success();
}

// Nothing stands for what query blocks of fewer than 16 tokens leave out.
static LogicalResult verifyFineBlocks(SpecOp spec) {
  std::optional<BlockSizes> blocks = blocksOf(spec.getClassification());
  if (!blocks || blocks->queries >= 16)
    return success();
  for (Operation &op : spec.getBody().front())
    if (isa<LinearOp, BlockMeanOp>(op))
      return op.emitOpError("spec C8: beside query blocks of ")
             << blocks->queries << " tokens, whose other blocks are skipped; from 16 tokens on it may stand";
  return success();
}

LogicalResult SpecOp::verifyRegions() {
  for (auto verify : {verifyArguments, verifyNames, verifyBody, verifyTokens, verifyCoverage, verifyOrders,
                      verifyFineBlocks, verifyBranches})
    if (failed(verify(*this)))
      return failure();
  return success();
}
