#include "OrderExprs.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

std::optional<PlanOrder> compiler::readOrder(ir::SpecOp spec) {
  ir::TokenOrderOp op = ir::tokenOrderOf(spec);
  if (!op)
    return {};
  PlanOrder order;
  for (Value size : op.getGrid())
    order.grid.push_back(ir::paramOf(size).getName().str());
  for (Value size : op.getTile())
    order.tile.push_back(ir::paramOf(size).getInteger());
  if (op.getText())
    order.text = *op.getText() == ir::TextPlace::Prefix ? TextPlace::prefix : TextPlace::suffix;
  return order;
}

std::vector<Expr> compiler::gridSizes(const PlanOrder &order) {
  std::vector<Expr> sizes(TokenOrder::axes - order.grid.size(), Expr(1));
  for (const std::string &name : order.grid)
    sizes.push_back(Expr::symbol("param." + name));
  return sizes;
}

std::vector<Expr> compiler::tileSizes(const PlanOrder &order) {
  std::vector<Expr> sizes(TokenOrder::axes - order.tile.size(), Expr(1));
  for (int64_t size : order.tile)
    sizes.push_back(size);
  return sizes;
}

Expr compiler::blocksAlong(const std::optional<PlanOrder> &order, const char *tokens, int64_t block) {
  if (!order)
    return ceildiv(Expr::symbol(tokens), block);
  Expr tiles = 1, grid = 1;
  for (auto [size, tile] : llvm::zip(gridSizes(*order), order->sized([](const std::string &) { return 1; }).tile)) {
    tiles = tiles * ceildiv(size, tile);
    grid = grid * size;
  }
  return tiles + ceildiv(Expr::symbol(tokens) - grid, block);
}

Expr compiler::placesAlong(const std::optional<PlanOrder> &order, const char *tokens, int64_t block) {
  return order ? blocksAlong(order, tokens, block) * block : Expr::symbol(tokens);
}
