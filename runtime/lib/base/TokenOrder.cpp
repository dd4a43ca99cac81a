#include "tercet/TokenOrder.h"

namespace tercet {

Status checkTokenOrder(const TokenOrder &order, int64_t queries, int64_t keys) {
  int64_t tokens = order.gridTokens();
  bool hasText = order.text != TextPlace::none;
  std::string grid =
      fmt::format("the grid of {} x {} x {} has {} tokens", order.grid[0], order.grid[1], order.grid[2], tokens);
  if (tokens > queries || tokens > keys)
    return Status::make(Code::invalidArgument, "{}, but there are {} queries and {} keys; {} needed", grid, queries,
                        keys, hasText ? "at least as many are" : "as many are");
  if (!hasText && (tokens != queries || tokens != keys))
    return Status::make(Code::invalidArgument,
                        "{}, but there are {} queries and {} keys; as many are needed, since this spec's order has no "
                        "text beside the grid",
                        grid, queries, keys);
  if (order.text == TextPlace::prefix && queries != keys)
    return Status::make(Code::invalidArgument,
                        "there are {} queries and {} keys; text before the grid is as long for both", queries, keys);
  return {};
}

} // namespace tercet
