// Goes through the grid tile by tile and looks at every token: slow, and obviously the rule.
#include "TokenBlocks.h"

#include <algorithm>

namespace tercet::reference {
namespace {

/// The tokens of a grid that begins at token 0 whose places lie in the tile at `corner`.
std::vector<int64_t> tokensOfTile(const TokenOrder &order, std::array<int64_t, 3> corner) {
  std::vector<int64_t> tokens;
  for (int64_t t = corner[0]; t < corner[0] + order.tile[0]; ++t)
    for (int64_t y = corner[1]; y < corner[1] + order.tile[1]; ++y)
      for (int64_t x = corner[2]; x < corner[2] + order.tile[2]; ++x)
        if (t < order.grid[0] && y < order.grid[1] && x < order.grid[2])
          tokens.push_back((t * order.grid[1] + y) * order.grid[2] + x);
  return tokens;
}

} // namespace

void TokenBlocks::add(std::vector<int64_t> tokens) {
  for (int64_t token : tokens)
    homes[token] = count();
  members.push_back(std::move(tokens));
}

void TokenBlocks::addRuns(int64_t first, int64_t end, int64_t block) {
  for (; first < end; first += block) {
    std::vector<int64_t> run;
    for (int64_t token = first; token < std::min(first + block, end); ++token)
      run.push_back(token);
    add(std::move(run));
  }
}

TokenBlocks TokenBlocks::runs(int64_t block, int64_t tokens) {
  TokenBlocks blocks(tokens);
  blocks.addRuns(0, tokens, block);
  return blocks;
}

TokenBlocks TokenBlocks::tiles(const TokenOrder &order, int64_t tokens) {
  TokenBlocks blocks(tokens);
  int64_t text = tokens - order.gridTokens(), first = order.text == TextPlace::prefix ? text : 0;
  blocks.addRuns(0, first, order.block());
  for (int64_t t = 0; t < order.grid[0]; t += order.tile[0])
    for (int64_t y = 0; y < order.grid[1]; y += order.tile[1])
      for (int64_t x = 0; x < order.grid[2]; x += order.tile[2]) {
        std::vector<int64_t> tile = tokensOfTile(order, {t, y, x});
        for (int64_t &token : tile)
          token += first;
        blocks.add(std::move(tile));
      }
  blocks.addRuns(first + order.gridTokens(), tokens, order.block());
  return blocks;
}

std::vector<int64_t> TokenBlocks::valid(int64_t block, int64_t length) const {
  std::vector<int64_t> tokens = members[block];
  tokens.erase(std::lower_bound(tokens.begin(), tokens.end(), length), tokens.end());
  return tokens;
}

} // namespace tercet::reference
