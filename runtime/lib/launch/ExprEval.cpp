// Evaluation of plan expressions. Sizes come from the caller's tensors, so every operation is checked for overflow.
#include "tercet/rt/ExprEval.h"

#include "tercet/ExprText.h"

#include <algorithm>
#include <limits>

namespace tercet::rt {
namespace {

constexpr size_t deepestStack = 256; // checkExpr allows no more steps than that in a parsed artifact

/// False when the result is not a 64-bit integer.
bool apply(Expr::Op op, int64_t a, int64_t b, int64_t &result) {
  switch (op) {
  case Expr::Op::add:
    return !__builtin_add_overflow(a, b, &result);
  case Expr::Op::sub:
    return !__builtin_sub_overflow(a, b, &result);
  case Expr::Op::mul:
    return !__builtin_mul_overflow(a, b, &result);
  case Expr::Op::min:
    result = std::min(a, b);
    return true;
  case Expr::Op::max:
    result = std::max(a, b);
    return true;
  default:
    break;
  }
  if (b == 0 || (a == std::numeric_limits<int64_t>::min() && b == -1))
    return false;
  int64_t quotient = a / b, remainder = a % b;
  bool inexact = remainder != 0, sameSign = (remainder < 0) == (b < 0);
  switch (op) {
  case Expr::Op::floordiv:
    result = quotient - (inexact && !sameSign);
    return true;
  case Expr::Op::ceildiv:
    result = quotient + (inexact && sameSign);
    return true;
  case Expr::Op::rem: // of floordiv: the sign of the divisor
    result = inexact && !sameSign ? remainder + b : remainder;
    return true;
  default:
    return false;
  }
}

} // namespace

int SymbolNames::intern(const std::string &name) {
  auto [entry, isNew] = indices.try_emplace(name, static_cast<int>(names.size()));
  if (isNew)
    names.push_back(name);
  return entry->second;
}

int SymbolNames::find(const std::string &name) const {
  auto entry = indices.find(name);
  return entry == indices.end() ? -1 : entry->second;
}

CompiledExpr::CompiledExpr(const Expr &expr, SymbolNames &symbols) : text(exprText(expr)) {
  for (const Expr::Step &step : expr.steps)
    steps.push_back({step.op, step.op == Expr::Op::symbol ? symbols.intern(step.symbol) : step.constant});
}

Result<int64_t> CompiledExpr::evaluateSteps(std::span<const int64_t> values) const {
  int64_t stack[deepestStack];
  size_t depth = 0;
  for (const Step &step : steps) {
    if (step.op == Expr::Op::constant || step.op == Expr::Op::symbol) {
      TERCET_CHECK(depth < deepestStack, "an expression's stack is bounded");
      stack[depth++] = operandOf(step, values);
      continue;
    }
    --depth;
    if (!apply(step.op, stack[depth - 1], stack[depth], stack[depth - 1]))
      return Status::make(Code::invalidArgument, "the tensors are too large: {} does not fit into 64 bits", text);
  }
  return stack[0];
}

Result<int64_t> CompiledExpr::evaluateWithin(std::span<const int64_t> values, int64_t lowest, int64_t highest) const {
  TERCET_TRY(int64_t value, evaluate(values));
  if (value < lowest || value > highest)
    return Status::make(Code::invalidArgument, "the tensors are too large: {} is {}; legal are {} to {}", text, value,
                        lowest, highest);
  return value;
}

} // namespace tercet::rt
