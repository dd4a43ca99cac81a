// TokenBlocks: which tokens are in which block of the classification (docs/spec.md#symbols, #token_order).
#pragma once

#include "tercet/TokenOrder.h"

#include <cstdint>
#include <vector>

namespace tercet::reference {

class TokenBlocks {
public:
  TokenBlocks() = default;
  /// Runs of `block` tokens.
  static TokenBlocks runs(int64_t block, int64_t tokens);
  /// Tiles of a grid and runs of text; a legal order for so many tokens.
  static TokenBlocks tiles(const TokenOrder &order, int64_t tokens);

  int64_t count() const { return static_cast<int64_t>(members.size()); }
  int64_t blockOf(int64_t token) const { return homes[token]; }
  /// The tokens of a block below a length, ascending.
  std::vector<int64_t> valid(int64_t block, int64_t length) const;

private:
  std::vector<std::vector<int64_t>> members; ///< per block
  std::vector<int64_t> homes;                ///< per token

  explicit TokenBlocks(int64_t tokens) : homes(tokens) {}
  void addRuns(int64_t first, int64_t end, int64_t block);
  void add(std::vector<int64_t> tokens);
};

} // namespace tercet::reference
