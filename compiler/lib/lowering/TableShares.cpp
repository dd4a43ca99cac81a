#include "TableShares.h"

#include "tercet/TableAxis.h"
#include "tercet/dialect/TercetDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

static std::optional<int64_t> stepOf(Value value, Value argument) {
  if (value == argument)
    return 1;
  Operation *op = value.getDefiningOp();
  if (!op || op->getNumOperands() == 0)
    return 0;
  SmallVector<std::optional<int64_t>> of;
  for (Value operand : op->getOperands())
    of.push_back(stepOf(operand, argument));
  if (llvm::all_of(of, [](std::optional<int64_t> step) { return step == 0; }))
    return 0;
  if (!llvm::all_of(of, [](std::optional<int64_t> step) { return step.has_value(); }))
    return std::nullopt;
  if (isa<arith::IndexCastOp>(op))
    return of[0];
  if (isa<arith::AddIOp>(op))
    return *of[0] + *of[1];
  if (isa<arith::SubIOp>(op))
    return *of[0] - *of[1];
  return std::nullopt;
}

std::optional<int64_t> TableRead::step(size_t axis, unsigned number) const {
  return stepOf(indices[axis]->front().getTerminator()->getOperand(0), indices[axis]->getArgument(number));
}

bool TableRead::isArgument(size_t axis, unsigned number) const {
  Region &index = *indices[axis];
  return index.front().getTerminator()->getOperand(0) == index.getArgument(first + number);
}

bool TableRead::owns(size_t axis) const {
  TableAxis of{cast<ir::TableType>(table.getType()).getAxes()[axis]};
  return of == TableAxis::query && isArgument(axis, 2);
}

std::string TableShares::table() const { return ir::argumentName(read.table); }
std::string TableShares::gradient() const { return "d" + table(); }
