// PackTile: a tile of tokens as f32, transposed, in 8 x 8 blocks.
#pragma once

#include "Elements.h"
#include "TokenRows.h"
#include "Transpose.h"

#include <cstring>

namespace tercet::rt {

/// One tile of K or V: `valid` rows of `dim` elements.
template <typename Type> struct TileSource {
  TokenRows<Type> rows;
  int64_t valid, dim;
  float *sums; ///< [dim], added to; null: no means
};

/// Transposes a tile to [dim][tileK]; columns beyond `valid` become 0.
template <typename Element> struct PackKeyTile {
  using Type = typename Element::Type;

  [[gnu::always_inline]] static inline void run(TileSource<Type> tile, int64_t tileK, float *out) {
    int64_t wholeDim = tile.dim / 8 * 8, wholeTokens = tile.valid / 8 * 8;
    for (int64_t t = 0; t < wholeTokens; t += 8)
      for (int64_t c = 0; c < wholeDim; c += 8)
        block(tile.rows.from(t), c, out + c * tileK + t, tileK, tile.sums ? tile.sums + c : nullptr);
    edge(tile, tileK, out, 0, wholeTokens, wholeDim);   // the last features
    edge(tile, tileK, out, wholeTokens, tile.valid, 0); // the last tokens
    if (tile.valid < tileK)
      for (int64_t c = 0; c < tile.dim; ++c)
        std::memset(out + c * tileK + tile.valid, 0, static_cast<size_t>(tileK - tile.valid) * sizeof(float));
  }

  [[gnu::always_inline]] static inline void block(TokenRows<Type> source, int64_t c, float *out, int64_t tileK,
                                                  float *sums) {
    Float8 rows[8], columns[8];
    for (int t = 0; t < 8; ++t)
      rows[t] = Element::load8(source[t] + c);
    transpose8x8(rows, columns);
    for (int row = 0; row < 8; ++row)
      storeVector(out + row * tileK, columns[row]);
    if (!sums)
      return;
    Float8 sum = loadVector<Float8>(sums);
    for (int t = 0; t < 8; ++t)
      sum += rows[t];
    storeVector(sums, sum);
  }

  [[gnu::always_inline]] static inline void edge(const TileSource<Type> &tile, int64_t tileK, float *out,
                                                 int64_t firstToken, int64_t lastToken, int64_t firstDim) {
    for (int64_t t = firstToken; t < lastToken; ++t)
      for (int64_t c = firstDim; c < tile.dim; ++c) {
        float value = Element::toFloat(tile.rows[t][c]);
        out[c * tileK + t] = value;
        if (tile.sums)
          tile.sums[c] += value;
      }
  }
};

} // namespace tercet::rt
