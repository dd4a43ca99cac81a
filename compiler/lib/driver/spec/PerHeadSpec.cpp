// Rewrites the uses of one parameter. Whatever the frontend verifies of a spec is verified again of the result.
#include "tercet/compiler/PerHeadSpec.h"

#include "tercet/TableAxis.h"
#include "tercet/compiler/Frontend.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/STLExtras.h"

namespace tercet::compiler {
namespace {

/// Regions begin with what they compute on, if anything; then come batch and query head.
mlir::Value headOf(ir::ValueOp op) {
  auto indices = llvm::make_filter_range(op->getBlock()->getArguments(),
                                         [](mlir::BlockArgument argument) { return argument.getType().isIndex(); });
  return *std::next(indices.begin());
}

/// Whether every use is one that a table can take the place of.
Status checkUses(ir::ParamOp param) {
  std::string name = param.getName().str();
  if (param.use_empty())
    return Status::make(Code::invalidArgument, "parameter '{}' is used by nothing", name);
  for (mlir::OpOperand &use : param->getUses()) {
    auto select = mlir::dyn_cast<ir::SelectOp>(use.getOwner());
    if (select && select.getBudgets())
      return Status::make(Code::invalidArgument, "the selection has budgets per head already");
    bool isKeep = select && use.getOperandNumber() == select.getKeepMutable().getOperandNumber();
    if (!isKeep && !mlir::isa<ir::ValueOp>(use.getOwner()))
      return Status::make(Code::invalidArgument,
                          "parameter '{}' is an operand of {}, which takes one value for all heads; a value per head "
                          "may replace keep, and values in regions",
                          name, use.getOwner()->getName().getStringRef().str());
  }
  return {};
}

} // namespace

Result<std::string> makePerHead(const Spec &spec, const std::string &parameter, const std::string &table) {
  std::unique_ptr<mlir::MLIRContext> context = makeContext();
  TERCET_TRY(BoundSpec bound, loadSpec(*context, spec));
  ir::ParamOp param = bound.spec.lookupParam(parameter);
  bool isNumber = param && (param.getKind() == ir::ParamKind::Float || param.getKind() == ir::ParamKind::Integer);
  if (!isNumber || param.isStatic())
    return Status::make(Code::invalidArgument, "spec '{}' has no runtime parameter '{}' that is a number",
                        bound.spec.getSymName().str(), parameter);
  TERCET_RETURN_IF_ERROR(checkUses(param));

  mlir::OpBuilder builder(context.get());
  mlir::Type element =
      param.getKind() == ir::ParamKind::Float ? mlir::Type(builder.getF32Type()) : mlir::Type(builder.getI32Type());
  auto type = ir::TableType::get(context.get(), {static_cast<int64_t>(TableAxis::head)}, element);
  mlir::Value argument = bound.spec.getBody().front().addArgument(type, param.getLoc());
  llvm::SmallVector<mlir::Attribute> names(bound.spec.getArgNames().getValue());
  names.push_back(builder.getStringAttr(table));
  bound.spec.setArgNamesAttr(builder.getArrayAttr(names));
  for (mlir::Operation *user : llvm::to_vector(param->getUsers())) {
    if (auto select = mlir::dyn_cast<ir::SelectOp>(user)) {
      select.getBudgetsMutable().assign(argument);
      continue;
    }
    auto value = mlir::cast<ir::ValueOp>(user);
    builder.setInsertionPoint(value);
    value.replaceAllUsesWith(
        builder.create<ir::ReadOp>(value.getLoc(), argument, mlir::ValueRange{headOf(value)}).getResult());
    value.erase();
  }
  if (param.use_empty())
    param.erase();
  std::string reason;
  mlir::ScopedDiagnosticHandler handler(context.get(), [&](mlir::Diagnostic &diagnostic) {
    reason = reason.empty() ? diagnostic.str() : reason;
    return mlir::success();
  });
  if (mlir::failed(mlir::verify(*bound.module)))
    return Status::make(Code::invalidArgument, "spec '{}' cannot take a table '{}' in the place of parameter '{}': {}",
                        bound.spec.getSymName().str(), table, parameter, reason);
  return bound.text() + "\n";
}

} // namespace tercet::compiler
