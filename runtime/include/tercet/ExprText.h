// ExprText: expressions of a plan for humans (infix) and for files (postfix).
#pragma once

#include "tercet/Plan.h"
#include "tercet/Status.h"

namespace tercet {

/// "G * (ceildiv(M, 64) + 1)": for explain and messages. A malformed expression prints as "<malformed>".
std::string exprText(const Expr &expr);

/// "$G $M 64 cdiv 1 + *": one token per step; symbols carry a $.
std::string exprPostfix(const Expr &expr);
/// Reads what exprPostfix wrote; invalidArgument on unknown tokens, stack errors or more than 256 steps.
Result<Expr> parseExprPostfix(std::string_view text);
/// invalidArgument unless evaluation leaves exactly one value and never lacks an operand.
Status checkExpr(const Expr &expr);

} // namespace tercet
