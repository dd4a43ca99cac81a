// TokenRows: the tokens of a block in memory, one behind the other or where a token order says.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tercet::rt {

/// Rows of elements; row t is that of token t, or of token order[t].
template <typename Type> struct TokenRows {
  const Type *base;
  int64_t stride;
  const int32_t *order = nullptr;

  [[gnu::always_inline]] const Type *operator[](int64_t t) const { return base + (order ? order[t] : t) * stride; }
  [[gnu::always_inline]] TokenRows from(int64_t first) const {
    return order ? TokenRows{base, stride, order + first} : TokenRows{base + first * stride, stride};
  }
};

/// The part of a batch entry in a table of a token order, of `size` entries each; null: there is no order.
inline const int32_t *ofBatch(const int32_t *table, int64_t batch, int64_t size) {
  return table ? table + batch * size : nullptr;
}

/// The valid tokens of block j where `live` tokens (places) are valid.
inline int64_t tokensOfBlock(const int32_t *counts, int64_t j, int64_t block, int64_t live) {
  return counts ? counts[j] : std::clamp<int64_t>(live - j * block, 0, block);
}

} // namespace tercet::rt
