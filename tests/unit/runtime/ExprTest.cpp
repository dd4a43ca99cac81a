#include "tercet/ExprText.h"
#include "tercet/rt/ExprEval.h"

#include <catch2/catch.hpp>

#include <cmath>

using namespace tercet;

namespace {

Result<int64_t> evaluate(const Expr &expr, int64_t n = 0) {
  rt::SymbolNames names;
  rt::CompiledExpr compiled(expr, names);
  std::vector<int64_t> values(names.size(), n);
  return compiled.evaluate(values);
}

Expr binary(Expr::Op op, int64_t a, int64_t b) { return Expr::apply(op, Expr(a), Expr(b)); }

} // namespace

TEST_CASE("expressions evaluate", "[expr]") {
  Expr expr = (Expr::symbol("N") + 5) * ceildiv(Expr::symbol("N"), 4) - floordiv(Expr::symbol("N"), 3);
  CHECK(*evaluate(expr, 10) == 15 * 3 - 3);
  CHECK(*evaluate(binary(Expr::Op::min, 3, -2)) == -2);
  CHECK(*evaluate(binary(Expr::Op::max, 3, -2)) == 3);
}

TEST_CASE("divisions round towards their names for every sign", "[expr]") {
  for (int64_t a = -7; a <= 7; ++a)
    for (int64_t b : {-3, -2, -1, 1, 2, 3}) {
      int64_t floor = static_cast<int64_t>(std::floor(double(a) / double(b)));
      INFO(a << " by " << b);
      CHECK(*evaluate(binary(Expr::Op::floordiv, a, b)) == floor);
      CHECK(*evaluate(binary(Expr::Op::ceildiv, a, b)) == static_cast<int64_t>(std::ceil(double(a) / double(b))));
      CHECK(*evaluate(binary(Expr::Op::rem, a, b)) == a - b * floor);
    }
}

TEST_CASE("overflow and division by zero are errors, not results", "[expr]") {
  CHECK_FALSE(evaluate(binary(Expr::Op::mul, INT64_MAX, 2)).ok());
  CHECK_FALSE(evaluate(binary(Expr::Op::add, INT64_MAX, 1)).ok());
  CHECK_FALSE(evaluate(binary(Expr::Op::sub, INT64_MIN, 1)).ok());
  CHECK_FALSE(evaluate(binary(Expr::Op::floordiv, 1, 0)).ok());
  CHECK_FALSE(evaluate(binary(Expr::Op::ceildiv, INT64_MIN, -1)).ok());
  Result<int64_t> result = evaluate(Expr::symbol("N") * Expr::symbol("N"), int64_t{1} << 40);
  CHECK(result.status().message() == "the tensors are too large: N * N does not fit into 64 bits");
}

TEST_CASE("expressions print with the parentheses they need", "[expr]") {
  Expr n = Expr::symbol("N"), m = Expr::symbol("M");
  CHECK(exprText((n + 1) * (m - (n - 2))) == "(N + 1) * (M - (N - 2))");
  CHECK(exprText(n * m + 3 * m) == "N * M + 3 * M");
  CHECK(exprText(ceildiv(n + 1, 64) * m) == "ceildiv(N + 1, 64) * M");
}

TEST_CASE("postfix text is read back", "[expr]") {
  Expr expr = ceildiv(Expr::symbol("q.2") - Expr(-5), 64) * Expr::symbol("param.keep");
  Result<Expr> read = parseExprPostfix(exprPostfix(expr));
  REQUIRE(read.ok());
  CHECK(exprText(*read) == exprText(expr));
  for (const char *bad : {"", "1 2", "+", "1 +", "x", "$", "1 2 + +", "9223372036854775808", "1  2 +"}) {
    INFO(bad);
    CHECK_FALSE(parseExprPostfix(bad).ok());
  }
}
