// Expressions as text. One table of operators serves printing and parsing.
#include "tercet/ExprText.h"

#include "tercet/Spelling.h"

#include <charconv>

namespace tercet {
namespace {

constexpr size_t mostSteps = 256;

struct Operator {
  Expr::Op op;
  std::string_view postfix;
  std::string_view infix; ///< between the operands, or a function name when `precedence` is 0
  int precedence;
};
constexpr Operator operators[] = {
    {Expr::Op::add, "+", "+", 1},
    {Expr::Op::sub, "-", "-", 1},
    {Expr::Op::mul, "*", "*", 2},
    {Expr::Op::floordiv, "fdiv", "floordiv", 0},
    {Expr::Op::ceildiv, "cdiv", "ceildiv", 0},
    {Expr::Op::rem, "rem", "rem", 0},
    {Expr::Op::min, "min", "min", 0},
    {Expr::Op::max, "max", "max", 0},
};

const Operator *find(Expr::Op op) {
  for (const Operator &entry : operators)
    if (entry.op == op)
      return &entry;
  return nullptr;
}

struct Printed {
  std::string text;
  int precedence; ///< of the outermost operator; 3 for atoms and calls
};

std::string inParentheses(const Printed &operand, bool needed) {
  return needed ? "(" + operand.text + ")" : operand.text;
}

Printed join(const Operator &entry, const Printed &left, const Printed &right) {
  if (entry.precedence == 0)
    return {fmt::format("{}({}, {})", entry.infix, left.text, right.text), 3};
  return {fmt::format("{} {} {}", inParentheses(left, left.precedence < entry.precedence), entry.infix,
                      inParentheses(right, right.precedence <= entry.precedence)),
          entry.precedence};
}

Result<Expr::Step> parseToken(std::string_view token) {
  if (token.starts_with('$') && token.size() > 1)
    return Expr::Step{Expr::Op::symbol, 0, std::string(token.substr(1))};
  for (const Operator &entry : operators)
    if (entry.postfix == token)
      return Expr::Step{entry.op, 0, {}};
  int64_t constant = 0;
  auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), constant);
  if (error != std::errc() || end != token.data() + token.size())
    return Status::make(Code::invalidArgument,
                        "'{}' in an expression is neither a 64-bit integer, nor a $symbol, nor an operator",
                        excerpt(token, 40));
  return Expr::Step{Expr::Op::constant, constant, {}};
}

} // namespace

std::string exprText(const Expr &expr) {
  std::vector<Printed> stack;
  for (const Expr::Step &step : expr.steps) {
    if (step.op == Expr::Op::constant) {
      stack.push_back({std::to_string(step.constant), step.constant < 0 ? 0 : 3});
    } else if (step.op == Expr::Op::symbol) {
      stack.push_back({step.symbol, 3});
    } else {
      const Operator *entry = find(step.op);
      if (!entry || stack.size() < 2)
        return "<malformed>";
      Printed right = std::move(stack.back());
      stack.pop_back();
      stack.back() = join(*entry, stack.back(), right);
    }
  }
  return stack.size() == 1 ? stack.back().text : "<malformed>";
}

std::string exprPostfix(const Expr &expr) {
  std::string text;
  for (const Expr::Step &step : expr.steps) {
    if (!text.empty())
      text += ' ';
    if (step.op == Expr::Op::constant)
      text += std::to_string(step.constant);
    else if (step.op == Expr::Op::symbol)
      text += '$' + step.symbol;
    else if (const Operator *entry = find(step.op))
      text += entry->postfix;
  }
  return text;
}

Result<Expr> parseExprPostfix(std::string_view text) {
  Expr expr;
  expr.steps.clear();
  while (!text.empty()) {
    size_t space = text.find(' ');
    std::string_view token = text.substr(0, space);
    text = space == std::string_view::npos ? std::string_view() : text.substr(space + 1);
    TERCET_TRY(Expr::Step step, parseToken(token));
    expr.steps.push_back(std::move(step));
    if (expr.steps.size() > mostSteps)
      return Status::make(Code::invalidArgument, "an expression has more than {} steps", mostSteps);
  }
  TERCET_RETURN_IF_ERROR(checkExpr(expr));
  return expr;
}

Status checkExpr(const Expr &expr) {
  size_t depth = 0;
  for (const Expr::Step &step : expr.steps) {
    bool isOperator = step.op != Expr::Op::constant && step.op != Expr::Op::symbol;
    if (isOperator && (depth < 2 || !find(step.op)))
      return Status::make(Code::invalidArgument, "an expression applies an operator to {} operands; it needs 2", depth);
    depth += isOperator ? -1 : 1;
  }
  if (depth != 1)
    return Status::make(Code::invalidArgument, "an expression leaves {} values; it must leave 1", depth);
  return {};
}

} // namespace tercet
