// Sizes in a plan, and what a token order makes of them.
#pragma once

#include "tercet/Plan.h"
#include "tercet/dialect/TercetDialect.h"

namespace tercet::compiler {

/// A size that a launch knows (tercet/Plan.h).
inline Expr sym(const char *name) { return Expr::symbol(name); }

/// Nothing where the spec has no token order.
std::optional<PlanOrder> readOrder(ir::SpecOp spec);

/// Blocks of the classification along `tokens` (a symbol, N or M), where runs of tokens are `block` long.
Expr blocksAlong(const std::optional<PlanOrder> &order, const char *tokens, int64_t block);

/// Places that kernels work through along `tokens`: tokens, or under an order as many as all blocks have room for.
Expr placesAlong(const std::optional<PlanOrder> &order, const char *tokens, int64_t block);

/// The sizes of the grid and of a tile along TokenOrder::axes axes.
std::vector<Expr> gridSizes(const PlanOrder &order), tileSizes(const PlanOrder &order);

} // namespace tercet::compiler
