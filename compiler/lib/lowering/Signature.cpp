#include "Signature.h"

#include "OrderExprs.h"

#include <cmath>

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

using Role = PlanArgument::Role;

static bool hasLse(ir::SpecOp spec) {
  return ir::hasLse(cast<ir::ReturnOp>(spec.getBody().front().getTerminator()).getOutput());
}

static bool isMatrix(Value weight) {
  return llvm::any_of(weight.getUsers(), [&](Operation *user) {
    auto project = dyn_cast<ir::ProjectOp>(user);
    return project && project.getW() == weight;
  });
}

// Before it is rounded, and before a linear branch is added, the output of the softmax branch is not o.
static bool hasWideOutput(ir::SpecOp spec, DType dtype) {
  return hasLse(spec) && (dtype != DType::f32 || !spec.getBody().getOps<ir::LinearOp>().empty());
}

static std::vector<PlanArgument> argumentsOf(ir::SpecOp spec, DType dtype, Direction direction) {
  std::vector<PlanArgument> arguments;
  auto add = [&](std::string name, Role role, DType type, bool optional, bool isOutput = false) -> PlanArgument & {
    return arguments.emplace_back(PlanArgument{std::move(name), role, optional, isOutput, type});
  };
  bool isBackward = direction == Direction::backward;
  // Classes are handed to a backward, so tables that only make these are not.
  auto isNeeded = [&](Value table) {
    return !isBackward || llvm::any_of(table.getUsers(), llvm::IsaPred<ir::ReadOp, ir::CompressedOp>);
  };
  add("q", Role::query, dtype, false);
  add("k", Role::key, dtype, false);
  add("v", Role::value, dtype, false);
  for (auto [argument, name] : llvm::zip(spec.getBody().getArguments(), spec.getArgNames().getAsRange<StringAttr>())) {
    if (isa<ir::WeightType>(argument.getType()) && (!isBackward || isMatrix(argument)))
      add(name.str(), isMatrix(argument) ? Role::weight : Role::bias, DType::f32, true);
    if (auto table = dyn_cast<ir::TableType>(argument.getType()); table && isNeeded(argument))
      add(name.str(), Role::table, table.getElementType().isF32() ? DType::f32 : DType::i32, false).axes =
          table.getAxes().vec();
  }
  add("q_len", Role::queryLengths, DType::i32, true);
  add("k_len", Role::keyLengths, DType::i32, true);
  bool classified = spec.getClassification() != nullptr;
  if (classified)
    add("classes", Role::classes, DType::i8, /*optional=*/!isBackward);
  if (isBackward) {
    add("do", Role::outputGradient, dtype, false);
    if (hasLse(spec)) {
      add("o", Role::savedOutput, DType::f32, false);
      add("lse", Role::savedLse, DType::f32, false);
      add("lse_rest", Role::savedLseRest, DType::f32, true);
    }
    add("dq", Role::queryGradient, dtype, false, true);
    add("dk", Role::keyGradient, dtype, false, true);
    add("dv", Role::valueGradient, dtype, false, true);
    for (auto [argument, name] : llvm::zip(spec.getBody().getArguments(), spec.getArgNames().getAsRange<StringAttr>()))
      if (isa<ir::WeightType>(argument.getType()))
        add("d" + name.str(), isMatrix(argument) ? Role::weightGradient : Role::biasGradient, DType::f32, true, true);
    return arguments;
  }
  add("o", Role::output, dtype, false, true);
  if (direction == Direction::forward && hasWideOutput(spec, dtype))
    add("o_wide", Role::wideOutput, DType::f32, true, true);
  if (hasLse(spec))
    add("lse", Role::lse, DType::f32, true, true);
  if (direction == Direction::forward && hasLse(spec))
    add("lse_rest", Role::lseRest, DType::f32, true, true);
  if (classified)
    add("classes_out", Role::classesOutput, DType::i8, true, true);
  return arguments;
}

static bool isScaleOf(Operation *user, Value param) {
  if (auto sparse = dyn_cast<ir::SparseOp>(user))
    return sparse.getScale() == param;
  if (auto compressed = dyn_cast<ir::CompressedOp>(user))
    return compressed.getScale() == param;
  if (auto scores = dyn_cast<ir::CompressedScoresOp>(user))
    return scores.getScale() == param;
  auto means = dyn_cast<ir::BlockMeanOp>(user);
  return means && means.getScale() == param;
}

static bool isShareOf(Operation *user, Value param) {
  auto select = dyn_cast<ir::SelectOp>(user);
  return select && ((select.getKeep() == param && select.getKeepUnit() != ir::KeepUnit::Count) ||
                    (select.getDrop() == param && select.getDropUnit() != ir::DropUnit::Count));
}

// Legal ranges are those of the ops' verifiers, for values that arrive at launch. What only regions read has none.
static PlanParameter parameterOf(ir::ParamOp param, int64_t headDim) {
  PlanParameter parameter;
  parameter.name = param.getName().str();
  parameter.isInteger = param.getKind() == ir::ParamKind::Integer;
  parameter.value = param.isAuto()        ? 1 / std::sqrt(static_cast<double>(headDim))
                    : parameter.isInteger ? static_cast<double>(param.getInteger())
                                          : param.getFloat();
  parameter.maximum = parameter.isInteger ? 1 << 30 : 1e30;
  if (!param->use_empty() && llvm::all_of(param->getUsers(), llvm::IsaPred<ir::ValueOp>))
    parameter.minimum = -parameter.maximum;
  for (Operation *user : param->getUsers()) {
    if (isShareOf(user, param))
      parameter.maximum = 1;
    if (isScaleOf(user, param))
      parameter.minimum = 1e-30;
    if (isa<ir::TokenOrderOp>(user)) {
      parameter.minimum = 1;
      parameter.maximum = TokenOrder::largestAxis;
    }
  }
  return parameter;
}

PlanSignature compiler::signatureOf(ir::SpecOp spec, const Problem &problem) {
  PlanSignature signature;
  signature.arguments = argumentsOf(spec, problem.dtype, problem.direction);
  for (ir::ParamOp param : spec.getBody().getOps<ir::ParamOp>())
    if (!param.isStatic())
      signature.parameters.push_back(parameterOf(param, problem.headDim));
  if (std::optional<ir::BlockSizes> blocks = ir::blocksOf(spec.getClassification())) {
    signature.blockQ = blocks->queries;
    signature.blockK = blocks->keys;
    signature.order = readOrder(spec);
  }
  return signature;
}
