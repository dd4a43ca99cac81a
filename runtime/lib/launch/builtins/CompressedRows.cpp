// Compressed scores: what a softmax over pools of keys gives to the tokens of a block (docs/spec.md#compressed_scores).
//
// Some queries at a time meet all pools that one of them sees. A row of products becomes exponentials, and these are shared out: where
// pools and blocks are made of whole strides, over strides, in vectors, and from there to blocks; else pool by pool.
#include "Dispatch.h"
#include "Exp.h"
#include "SelectScratch.h"

#include <bit>
#include <cmath>
#include <limits>

namespace tercet::rt {
namespace {

constexpr int64_t poolTile = 64, poolWord = 32, queriesTogether = 32;

int64_t roundedUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Sizes of one call, and the arrays of a worker.
struct PoolScores {
  int64_t pools, words, tiles;
  int64_t strides; ///< of a pool, where it and a block are made of whole strides; else 0
  float *queries;  ///< [queriesTogether][headDim]
  float *products; ///< [queriesTogether][tiles * 64]
  float *weights;  ///< [tiles * 64] of a row, zeros before and behind
  float *parts;    ///< [pools + strides], of strides
  int64_t bytes;

  PoolScores(const SelectSlots &s, char *base)
      : pools(roundedUp(s.tokensK, s.scores.stride)), words(roundedUp(pools, poolWord)),
        tiles(roundedUp(pools, poolTile)) {
    bool isWhole = s.scores.poolLength % s.scores.stride == 0 && s.blockK % s.scores.stride == 0;
    strides = isWhole ? s.scores.poolLength / s.scores.stride : 0;
    ScratchCutter cutter(base);
    queries = cutter.take<float>(saturatingProduct(queriesTogether, s.headDim));
    products = cutter.take<float>(saturatingProduct(queriesTogether * poolTile, tiles));
    weights = cutter.take<float>(saturatingProduct(poolTile, tiles) + 2 * strides + 16);
    weights += weights ? strides : 0;
    parts = cutter.take<float>(pools + strides + 16);
    bytes = cutter.bytes();
  }
};

/// exp of a row of products below the largest of them that is a number, and the sum; both 0 where there is none.
struct WeighPools {
  [[gnu::always_inline]] static inline void run(const float *products, int64_t count, float *weights, double *sum) {
    constexpr float infinite = std::numeric_limits<float>::infinity();
    Float8 top = Float8{} - infinite;
    for (int64_t c = 0; c < count; c += 8) {
      Float8 some = loadVector<Float8>(products + c);
      top = some > top ? some : top;
    }
    float most = -infinite;
    for (int lane = 0; lane < 8; ++lane)
      most = top[lane] > most ? top[lane] : most;
    Float8 offset = Float8{} + (most > -infinite ? most : 0.0f);
    *sum = 0;
    for (int64_t tile = 0; tile < count; tile += poolTile) {
      Float8 some8{};
      for (int64_t c = tile; c < tile + poolTile; c += 8) {
        Float8 some = loadVector<Float8>(products + c);
        Float8 weight = some == offset ? Float8{} + 1.0f : expOfNegative(some - offset);
        weight = some == some ? weight : Float8{};
        storeVector(weights + c, weight);
        some8 += weight;
      }
      for (int lane = 0; lane < 8; ++lane)
        *sum += static_cast<double>(some8[lane]);
    }
  }
};

/// parts[u] = the sum of the weights of the pools that hold stride u: those that begin there or up to strides - 1 before.
struct SpreadOverStrides {
  [[gnu::always_inline]] static inline void run(const float *weights, int64_t strides, int64_t count, float *parts) {
    for (int64_t u = 0; u < count; u += 8) {
      Float8 sum{};
      for (int64_t n = 0; n < strides; ++n)
        sum += loadVector<Float8>(weights + u - n);
      storeVector(parts + u, sum);
    }
  }
};

const uint32_t *seenBy(const SelectSlots &s, const RowContext &at, const PoolScores &of, int64_t query) {
  return s.scores.seen ? s.scores.seen + (at.gr * s.tokensQ + query) * of.words : nullptr;
}

/// Tiles up to the last with a pool that one of the queries sees.
int64_t tilesSeen(const SelectSlots &s, const RowContext &at, const PoolScores &of, int64_t first, int64_t queries,
                  int64_t live) {
  if (!s.scores.seen)
    return roundedUp(live, poolTile);
  int64_t word = 0;
  for (int64_t query = first; query < first + queries; ++query) {
    const uint32_t *seen = seenBy(s, at, of, query);
    int64_t last = roundedUp(live, poolWord);
    while (last > word && seen[last - 1] == 0)
      --last;
    word = std::max(word, last);
  }
  return roundedUp(word * poolWord, poolTile);
}

/// Takes out of the softmax what is no live pool, or is not seen.
void hidePools(const uint32_t *seen, int64_t live, int64_t count, float *products) {
  for (int64_t first = 0; first < count; first += poolWord) {
    int64_t left = live - first;
    uint32_t bits = left >= poolWord ? ~0u : left <= 0 ? 0u : (1u << left) - 1;
    if (seen && bits != 0)
      bits &= seen[first / poolWord];
    for (int64_t c = 0; c < poolWord && bits != ~0u; ++c)
      if ((bits >> c & 1) == 0)
        products[first + c] = -std::numeric_limits<float>::infinity();
  }
}

/// Shares a weight out over the tokens of pool c.
void addPool(const SelectSlots &s, const RowContext &at, int64_t c, float weight, float *scores) {
  int64_t begin = c * s.scores.stride, end = std::min(begin + s.scores.poolLength, at.liveK);
  float ofToken = weight / static_cast<float>(end - begin);
  for (int64_t t = begin; t < end;) {
    int64_t block = t / s.blockK, next = std::min(end, (block + 1) * s.blockK);
    scores[block] += ofToken * static_cast<float>(next - t);
    t = next;
  }
}

/// The weights of a row, `count` of them, each times `part`, to the scores of its block. The weights are lost.
void addRow(const SelectSlots &s, const RowContext &at, const PoolScores &of, int64_t count, float part,
            float *scores) {
  int64_t whole = at.liveK < s.scores.poolLength ? 0 : (at.liveK - s.scores.poolLength) / s.scores.stride + 1;
  for (int64_t c = of.strides ? whole : 0, end = std::min(count, of.pools); c < end; ++c) {
    if (of.weights[c] > 0)
      addPool(s, at, c, of.weights[c] * part, scores);
    of.weights[c] = 0;
  }
  if (!of.strides)
    return;
  int64_t used = std::min(whole, count) + of.strides - 1;
  std::fill(of.weights - of.strides, of.weights, 0.0f);
  std::fill(of.weights + count, of.weights + std::max(count, used + 8), 0.0f);
  Dispatch<SpreadOverStrides, const float *, int64_t, int64_t, float *>::call(of.weights, of.strides, used, of.parts);
  float ofStride = part / static_cast<float>(of.strides);
  for (int64_t u = 0, block = 0, perBlock = s.blockK / s.scores.stride; u < used; ++block) {
    float sum = 0;
    for (int64_t end = std::min(u + perBlock, used); u < end; ++u)
      sum += of.parts[u];
    scores[block] += sum * ofStride;
  }
}

void meetPools(const SelectSlots &s, const BuiltinCall &call, const RowContext &at, const PoolScores &of,
               int64_t firstBlock, int64_t first, int64_t queries, float *out) {
  const ScoreSlots &from = s.scores;
  int64_t live = roundedUp(at.liveK, from.stride), tiles = tilesSeen(s, at, of, first, queries, live);
  if (tiles == 0)
    return;
  gatherQueries(s, at, first, queries, 1, of.queries);
  int64_t tile = at.gr / s.headsPerKV * from.sampleTilesPerPair, count = tiles * poolTile;
  const int64_t slots[] = {reinterpret_cast<int64_t>(of.queries),
                           reinterpret_cast<int64_t>(from.samples + tile * s.headDim * poolTile),
                           reinterpret_cast<int64_t>(of.products),
                           queries,
                           tiles,
                           std::bit_cast<int64_t>(from.scale)};
  call.kernels[0](slots, 0, 0, 0, call.kernelScratch);
  for (int64_t query = first; query < first + queries; ++query) {
    float *products = of.products + (query - first) * count;
    hidePools(seenBy(s, at, of, query), live, count, products);
    double sum = 0;
    Dispatch<WeighPools, const float *, int64_t, float *, double *>::call(products, count, of.weights, &sum);
    int64_t block = query / s.blockQ, rows = std::min(s.blockQ, at.liveQ - block * s.blockQ);
    if (sum > 0)
      addRow(s, at, of, count, static_cast<float>(1 / (sum * static_cast<double>(rows))),
             out + (block - firstBlock) * scoreColumns(s));
  }
}

} // namespace

int64_t compressedScratchBytes(const SelectSlots &s) {
  constexpr int64_t longestPool = 1 << 16; // of a spec: 4096
  bool isSane = s.scores.stride > 0 && s.scores.poolLength >= s.scores.stride && s.scores.poolLength <= longestPool &&
                s.blockQ > 0 && s.blockK > 0 && s.tokensK >= 0 && s.tokensK < INT64_MAX / 2;
  return isSane ? PoolScores(s, nullptr).bytes : INT64_MAX; // which is refused
}

void compressedRows(const SelectSlots &s, const BuiltinCall &call, const RowContext &at, int64_t first, int64_t rows,
                    float *out, char *scratch) {
  PoolScores of(s, scratch);
  for (int64_t row = 0; row < rows; ++row)
    std::fill(out + row * scoreColumns(s), out + row * scoreColumns(s) + at.liveCols, 0.0f);
  int64_t end = std::min((first + rows) * s.blockQ, at.liveQ);
  for (int64_t query = first * s.blockQ; query < end; query += queriesTogether)
    meetPools(s, call, at, of, first, query, std::min(queriesTogether, end - query), out);
}

} // namespace tercet::rt
