// token_order: which tokens are in a block. Contract: Builtins.h.
#include "BuiltinTable.h"
#include "GroupHead.h"

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

/// Writes the tokens of block j; gives how many they are.
int64_t writeBlock(const TokenOrder &order, int64_t tokens, int64_t j, int32_t *out) {
  int64_t block = order.block(), text = tokens - order.gridTokens();
  int64_t before = order.text == TextPlace::prefix ? text : 0, firstTile = (before + block - 1) / block;
  int64_t behind = j - firstTile - order.tiles();
  return j < firstTile ? writeRun(j * block, before, block, out)
         : behind < 0  ? writeTile(order, j - firstTile, before, out)
                       : writeRun(before + order.gridTokens() + behind * block, tokens, block, out);
}

/// The first token of block j; blocks are in the order of these.
int64_t firstToken(const TokenOrder &order, int64_t tokens, int64_t j) {
  int64_t block = order.block(), text = tokens - order.gridTokens();
  int64_t before = order.text == TextPlace::prefix ? text : 0, tile = j - (before + block - 1) / block;
  if (tile < 0)
    return j * block;
  if (tile >= order.tiles())
    return before + order.gridTokens() + (tile - order.tiles()) * block;
  int64_t token = 0, unit = 1;
  for (size_t axis = TokenOrder::axes; axis-- > 0; unit *= order.grid[axis]) {
    int64_t along = (order.grid[axis] + order.tile[axis] - 1) / order.tile[axis];
    token += tile % along * order.tile[axis] * unit;
    tile /= along;
  }
  return before + token;
}

void run(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const TokenOrderSlots *>(call.slots);
  TokenOrder order{
      .grid = std::to_array(s.grid), .tile = std::to_array(s.tile), .text = static_cast<TextPlace>(s.text)};
  int64_t block = order.block(), j = call.item0, batch = call.item1;
  int64_t length = liveTokens(s.lengths, batch, s.tokens);
  int32_t *out = s.order + (batch * s.blocks + j) * block;
  int64_t there = writeBlock(order, s.tokens, j, out);
  int64_t count = std::lower_bound(out, out + there, length) - out;
  for (int64_t at = count; at < there; ++at)
    out[at] = -2 - out[at];
  std::fill(out + there, out + block, -1);
  s.counts[batch * s.blocks + j] = static_cast<int32_t>(count);
  bool isLast = count > 0 && (j + 1 == s.blocks || firstToken(order, s.tokens, j + 1) >= length);
  if (isLast || (j == 0 && count == 0))
    s.places[batch] = static_cast<int32_t>(isLast ? (j + 1) * block : 0);
}

} // namespace

const Builtin tokenOrderBuiltin = {"token_order", sizeof(TokenOrderSlots) / 8, 0, run, nullptr, nullptr};

} // namespace tercet::rt
