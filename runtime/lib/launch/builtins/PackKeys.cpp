// pack_keys: one pass over a block of K and V, giving f32 tiles (K transposed) and block means. Contract: Builtins.h.
// Sums for the means run over tokens in order, so they do not depend on tiles, levels or threads.
#include "Dispatch.h"
#include "GroupHead.h"
#include "PackTile.h"
#include "RowSums.h"

#include "BuiltinTable.h"

#include "tercet/Builtins.h"

#include <cstring>

namespace tercet::rt {
namespace {

constexpr int64_t meanTile = 64;

/// Copies columns of a tile's rows to [tileK][panel]; rows beyond `valid` and columns beyond `dim` become 0.
template <typename Element> struct PackValuePanel {
  [[gnu::always_inline]] static inline void run(TileSource<typename Element::Type> tile, int64_t tileK, int64_t panel,
                                                float *out) {
    int64_t dim = std::clamp<int64_t>(tile.dim, 0, panel), wholeDim = dim / 8 * 8;
    for (int64_t t = 0; t < tile.valid; ++t) {
      float *row = out + t * panel;
      const auto *from = tile.rows[t];
      for (int64_t c = 0; c < wholeDim; c += 8)
        storeVector(row + c, Element::load8(from + c));
      for (int64_t c = wholeDim; c < dim; ++c)
        row[c] = Element::toFloat(from[c]);
      for (int64_t c = dim; c < panel; ++c)
        row[c] = 0;
      if (tile.sums)
        for (int64_t c = 0; c < dim; ++c)
          tile.sums[c] += row[c];
    }
    std::memset(out + tile.valid * panel, 0, static_cast<size_t>((tileK - tile.valid) * panel) * sizeof(float));
  }
};

/// Adds the rows of a tile to its sums where only means are wanted.
template <typename Element> struct SumTile {
  [[gnu::always_inline]] static inline void run(TileSource<typename Element::Type> tile) {
    addRows<Element>(tile.rows, tile.valid, tile.dim, tile.sums);
  }
};

/// Where block j stands: its tokens, tiles and pair.
struct Block {
  int64_t j, g, valid;
  bool isLast;
  const int32_t *order; ///< of the batch entry
};

/// The tokens of a block of K or V.
template <typename Type>
TokenRows<Type> rowsOf(const PackKeysSlots &s, const Block &block, const Type *head, int64_t stride) {
  return TokenRows<Type>{head, stride, block.order}.from(block.j * s.blockK);
}

/// `count` of these tokens, from the block's token `first` on.
template <typename Type>
TileSource<Type> partOf(const Block &block, TokenRows<Type> rows, int64_t first, int64_t count, int64_t dim,
                        float *sums) {
  return {rows.from(first), std::clamp<int64_t>(block.valid - first, 0, count), dim, sums};
}

template <typename Element>
void packKeys(const PackKeysSlots &s, const Block &block, const typename Element::Type *k, float *sums) {
  using Source = TileSource<typename Element::Type>;
  auto rows = rowsOf(s, block, k, s.kStrideN);
  for (int64_t first = 0; first < s.blockK; first += s.keyPanel) {
    Source tile = partOf(block, rows, first, s.keyPanel, s.headDim, s.meanK ? sums : nullptr);
    if (s.packedK)
      Dispatch<PackKeyTile<Element>, Source, int64_t, float *>::call(
          tile, s.keyPanel, s.packedK + (block.g * s.tilesPerPair * s.tileK + block.j * s.blockK + first) * s.headDim);
    else if (tile.sums)
      Dispatch<SumTile<Element>, Source>::call(tile);
  }
}

template <typename Element>
void packValues(const PackKeysSlots &s, const Block &block, const typename Element::Type *v, float *sums) {
  using Source = TileSource<typename Element::Type>;
  auto rows = rowsOf(s, block, v, s.vStrideN);
  for (int64_t first = 0; first < s.blockK; first += s.tileK) {
    Source tile = partOf(block, rows, first, s.tileK, s.valueDim, s.meanV ? sums : nullptr);
    if (!s.packedV) {
      if (tile.sums)
        Dispatch<SumTile<Element>, Source>::call(tile);
      continue;
    }
    float *out = s.packedV + (block.g * s.tilesPerPair * s.tileK + block.j * s.blockK + first) * s.valueDimPadded;
    for (int64_t col = 0; col < s.valueDimPadded; col += s.valuePanel) {
      Source columns = {tile.rows, tile.valid, s.valueDim - col, tile.sums ? sums + col : nullptr};
      columns.rows.base += col;
      Dispatch<PackValuePanel<Element>, Source, int64_t, int64_t, float *>::call(columns, s.tileK, s.valuePanel,
                                                                                 out + col * s.tileK);
    }
  }
}

/// Writes column j % 64 of the block's mean tile, and, for the last block, zeros in the columns behind it.
void storeKeyMeans(const PackKeysSlots &s, const Block &block, const float *sums) {
  float *pair = s.meanK + block.g * s.meanTilesPerPair * s.headDim * meanTile;
  float *tile = pair + block.j / meanTile * s.headDim * meanTile;
  for (int64_t c = 0; c < s.headDim; ++c)
    tile[c * meanTile + block.j % meanTile] = block.valid ? sums[c] / static_cast<float>(block.valid) : 0;
  if (block.isLast)
    for (int64_t j = block.j + 1; j < s.meanTilesPerPair * meanTile; ++j)
      for (int64_t c = 0; c < s.headDim; ++c)
        pair[(j / meanTile * s.headDim + c) * meanTile + j % meanTile] = 0;
}

void storeValueMeans(const PackKeysSlots &s, const Block &block, const float *sums) {
  float *pair = s.meanV + block.g * s.meanTilesPerPair * meanTile * s.valueDimPadded;
  float *row = pair + block.j * s.valueDimPadded;
  for (int64_t c = 0; c < s.valueDimPadded; ++c)
    row[c] = block.valid && c < s.valueDim ? sums[c] / static_cast<float>(block.valid) : 0;
  if (block.isLast)
    std::memset(row + s.valueDimPadded, 0,
                static_cast<size_t>((s.meanTilesPerPair * meanTile - block.j - 1) * s.valueDimPadded) * sizeof(float));
}

/// Tiles behind the last block's exist where the plan rounds tilesPerPair up; they are 0 like all padding.
void clearTilesBehind(const PackKeysSlots &s, const Block &block) {
  int64_t first = (block.j + 1) * (s.blockK / s.tileK), count = s.tilesPerPair - first;
  if (count <= 0)
    return;
  if (s.packedK)
    std::memset(s.packedK + (block.g * s.tilesPerPair + first) * s.headDim * s.tileK, 0,
                static_cast<size_t>(count * s.headDim * s.tileK) * sizeof(float));
  if (s.packedV)
    std::memset(s.packedV + (block.g * s.tilesPerPair + first) * s.tileK * s.valueDimPadded, 0,
                static_cast<size_t>(count * s.tileK * s.valueDimPadded) * sizeof(float));
}

int64_t scratchBytes(const int64_t *slots) {
  const auto &s = *reinterpret_cast<const PackKeysSlots *>(slots);
  return saturatingProduct(std::max(s.headDim, s.valueDim), sizeof(float));
}

void run(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const PackKeysSlots *>(call.slots);
  GroupPair pair = groupPair(call.item1, s.firstPair, s.headsKV);
  int64_t live = liveTokens(s.kLengths, pair.batch, s.tokens), j = call.item0;
  const int32_t *counts = ofBatch(s.counts, pair.batch, s.tokens / s.blockK);
  Block block = {j, call.item1, tokensOfBlock(counts, j, s.blockK, live), (j + 1) * s.blockK >= s.tokens,
                 ofBatch(s.order, pair.batch, s.tokens)};
  auto *sums = reinterpret_cast<float *>(call.scratch);
  withElement(static_cast<DType>(s.dtype), [&](auto element) {
    using Element = decltype(element);
    using Type = typename Element::Type;
    std::memset(sums, 0, static_cast<size_t>(s.headDim) * sizeof(float));
    packKeys<Element>(s, block, static_cast<const Type *>(s.k) + pair.batch * s.kStrideB + pair.headKV * s.kStrideH,
                      sums);
    if (s.meanK)
      storeKeyMeans(s, block, sums);
    std::memset(sums, 0, static_cast<size_t>(s.valueDim) * sizeof(float));
    packValues<Element>(s, block, static_cast<const Type *>(s.v) + pair.batch * s.vStrideB + pair.headKV * s.vStrideH,
                        sums);
    if (s.meanV)
      storeValueMeans(s, block, sums);
  });
  if (block.isLast)
    clearTilesBehind(s, block);
}

} // namespace

const Builtin packKeysBuiltin = {"pack_keys", sizeof(PackKeysSlots) / 8, 0, run, scratchBytes, nullptr};

} // namespace tercet::rt
