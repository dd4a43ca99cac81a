// TokenOrder: the sizes of a token order in one call (docs/spec.md#token_order), and how many blocks they make.
#pragma once

#include "tercet/Status.h"

#include <array>
#include <cstdint>

namespace tercet {

/// Where tokens lie that are not of the grid. none: there are none.
enum class TextPlace : int64_t { none, prefix, suffix };

struct TokenOrder {
  static constexpr size_t axes = 3;
  static constexpr int64_t largestAxis = 1 << 20; ///< of a grid: what three axes hold fits 64 bits

  std::array<int64_t, axes> grid = {1, 1, 1}, tile = {1, 1, 1}; ///< axes that a spec lacks come first, and are 1
  TextPlace text = TextPlace::none;

  int64_t gridTokens() const { return grid[0] * grid[1] * grid[2]; }
  int64_t block() const { return tile[0] * tile[1] * tile[2]; }
  int64_t tiles() const {
    int64_t count = 1;
    for (size_t axis = 0; axis < axes; ++axis)
      count *= (grid[axis] + tile[axis] - 1) / tile[axis];
    return count;
  }
  /// Blocks of `tokens` tokens, which hold the grid.
  int64_t blocks(int64_t tokens) const { return tiles() + (tokens - gridTokens() + block() - 1) / block(); }
};

/// Whether calls with so many queries and keys may have this order; invalidArgument says what is legal.
Status checkTokenOrder(const TokenOrder &order, int64_t queries, int64_t keys);

} // namespace tercet
