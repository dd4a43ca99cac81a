// ExprEval: plan expressions with their symbols interned, evaluated at launch against a table of integers.
#pragma once

#include "tercet/Plan.h"
#include "tercet/Status.h"

#include <map>
#include <span>

namespace tercet::rt {

/// Gives every symbol name an index, in order of first use.
class SymbolNames {
public:
  int intern(const std::string &name);
  /// The index of `name`, or -1 when no expression uses it.
  int find(const std::string &name) const;
  size_t size() const { return names.size(); }
  const std::string &name(int index) const { return names[static_cast<size_t>(index)]; }

private:
  std::map<std::string, int> indices;
  std::vector<std::string> names;
};

/// An Expr with symbol indices in place of names. Immutable.
class CompiledExpr {
public:
  CompiledExpr() = default;
  /// `expr` has passed checkExpr.
  CompiledExpr(const Expr &expr, SymbolNames &symbols);
  /// values: one per symbol. invalidArgument on overflow of 64 bits or division by zero, with the expression's text.
  Result<int64_t> evaluate(std::span<const int64_t> values) const {
    if (steps.size() == 1) // what most slots of a plan are
      return operandOf(steps.front(), values);
    return evaluateSteps(values);
  }
  /// As evaluate; invalidArgument also on a value outside [lowest, highest].
  Result<int64_t> evaluateWithin(std::span<const int64_t> values, int64_t lowest, int64_t highest) const;

private:
  struct Step {
    Expr::Op op;
    int64_t operand; ///< the constant, or the symbol's index
  };
  static int64_t operandOf(const Step &step, std::span<const int64_t> values) {
    return step.op == Expr::Op::constant ? step.operand : values[static_cast<size_t>(step.operand)];
  }
  Result<int64_t> evaluateSteps(std::span<const int64_t> values) const;

  std::vector<Step> steps;
  std::string text;
};

} // namespace tercet::rt
