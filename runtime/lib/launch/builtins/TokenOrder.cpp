// token_order: which tokens are in a block. Contract: Builtins.h.
#include "BuiltinTable.h"

#include "tercet/Builtins.h"
#include "tercet/TokenOrder.h"

#include <algorithm>

namespace tercet::rt {
namespace {

/// Writes the tokens of a tile of a grid that begins at token `first`; gives how many they are.
int64_t writeTile(const TokenOrder &order, int64_t tile, int64_t first, int32_t *out) {
  int64_t begin[TokenOrder::axes], end[TokenOrder::axes];
  for (size_t axis = TokenOrder::axes; axis-- > 0;) {
    int64_t along = (order.grid[axis] + order.tile[axis] - 1) / order.tile[axis];
    begin[axis] = tile % along * order.tile[axis];
    end[axis] = std::min(begin[axis] + order.tile[axis], order.grid[axis]);
    tile /= along;
  }
  int32_t *next = out;
  for (int64_t t = begin[0]; t < end[0]; ++t)
    for (int64_t y = begin[1]; y < end[1]; ++y)
      for (int64_t x = begin[2]; x < end[2]; ++x)
        *next++ = static_cast<int32_t>(first + (t * order.grid[1] + y) * order.grid[2] + x);
  return next - out;
}

/// Writes a run of tokens; gives how many they are.
int64_t writeRun(int64_t first, int64_t end, int64_t block, int32_t *out) {
  int64_t count = std::min(block, end - first);
  for (int64_t t = 0; t < count; ++t)
    out[t] = static_cast<int32_t>(first + t);
  return count;
}

void run(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const TokenOrderSlots *>(call.slots);
  TokenOrder order{
      .grid = std::to_array(s.grid), .tile = std::to_array(s.tile), .text = static_cast<TextPlace>(s.text)};
  int64_t block = order.block(), text = s.tokens - order.gridTokens(), j = call.item0;
  int64_t before = order.text == TextPlace::prefix ? text : 0, firstTile = (before + block - 1) / block;
  int64_t behind = j - firstTile - order.tiles();
  int32_t *out = s.order + j * block;
  int64_t count = j < firstTile ? writeRun(j * block, before, block, out)
                  : behind < 0  ? writeTile(order, j - firstTile, before, out)
                                : writeRun(before + order.gridTokens() + behind * block, s.tokens, block, out);
  std::fill(out + count, out + block, -1);
  s.counts[j] = static_cast<int32_t>(count);
}

} // namespace

const Builtin tokenOrderBuiltin = {"token_order", sizeof(TokenOrderSlots) / 8, 0, run, nullptr, nullptr};

} // namespace tercet::rt
