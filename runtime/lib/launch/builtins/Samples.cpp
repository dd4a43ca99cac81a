// Sampled scores: shares of a row from products of token groups (docs/spec.md#sampled_scores), and the packed keys that
// they multiply.
//
// A chunk of query groups meets the keys in segments of whole blocks. Each segment leaves one maximum per row and one sum
// of exponentials per row and block, so that nothing of the size of groups x groups is ever held.
#include "BuiltinTable.h"
#include "Dispatch.h"
#include "Exp.h"
#include "PackTile.h"
#include "SelectScratch.h"

#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

namespace tercet::rt {
namespace {

constexpr int64_t groupTile = 64;
constexpr float infinity = std::numeric_limits<float>::infinity();

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Sizes of one call, and the arrays of a worker.
struct Samples {
  int64_t groupsQ, groupsK; ///< of a block
  int64_t depth, rows, segmentTiles, segmentBlocks, segments;
  float *queries;  ///< [rows][depth]
  float *products; ///< [rows][segmentTiles * 64]
  float *largest;  ///< [rows][segments]
  float *sums;     ///< [rows][blocksK]
  int64_t bytes;

  Samples(const SelectSlots &s, char *base)
      : groupsQ(s.blockQ / s.scores.stride), groupsK(s.blockK / s.scores.stride), depth(s.scores.stride * s.headDim),
        rows(std::min(s.rowsPerItem, s.blocksQ) * groupsQ), segmentTiles(std::lcm(groupTile, groupsK) / groupTile),
        segmentBlocks(segmentTiles * groupTile / groupsK), segments(ceilDiv(s.blocksK, segmentBlocks)) {
    ScratchCutter cutter(base);
    queries = cutter.take<float>(saturatingProduct(rows, depth));
    products = cutter.take<float>(rows * segmentTiles * groupTile);
    largest = cutter.take<float>(saturatingProduct(rows, segments));
    sums = cutter.take<float>(saturatingProduct(rows, s.blocksK));
    bytes = cutter.bytes();
  }
};

template <typename Element> struct GatherQueries {
  using Type = typename Element::Type;
  /// Row r holds the tokens of group r, the last one first; 0 where there is none.
  [[gnu::always_inline]] static inline void run(TokenRows<Type> tokens, int64_t valid, int64_t groupSize, int64_t dim,
                                                int64_t rows, float *out) {
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t t = 0; t < groupSize; ++t, out += dim) {
        int64_t place = r * groupSize + groupSize - 1 - t;
        bool isThere = place < valid && (!tokens.order || tokens.order[place] >= 0);
        for (int64_t c = 0; c < dim; ++c)
          out[c] = isThere ? Element::toFloat(tokens[place][c]) : 0.0f;
      }
  }
};

/// The largest of a segment's products that is a number, then exponentials below it, summed block by block.
struct SumBlocks {
  [[gnu::always_inline]] static inline void run(float *products, int64_t count, int64_t groups, float *largest,
                                                float *sums) {
    Float8 top = Float8{} - infinity;
    int64_t whole = count / 8 * 8;
    for (int64_t j = 0; j < whole; j += 8) {
      Float8 some = loadVector<Float8>(products + j);
      top = some > top ? some : top;
    }
    float most = -infinity;
    for (int lane = 0; lane < 8; ++lane)
      most = top[lane] > most ? top[lane] : most;
    for (int64_t j = whole; j < count; ++j)
      most = products[j] > most ? products[j] : most;
    *largest = most;
    Float8 offset = Float8{} + (most > -infinity ? most : 0.0f);
    for (int64_t j = 0; j < count; j += 8) { // the row is longer than `count` by whatever fills the tile
      Float8 some = loadVector<Float8>(products + j);
      Float8 weights = some == offset ? Float8{} + 1.0f : expOfNegative(some - offset);
      storeVector(products + j, some == some ? weights : Float8{});
    }
    for (int64_t j = 0, block = 0; j < count; ++block) {
      float sum = 0;
      for (int64_t end = std::min(j + groups, count); j < end; ++j)
        sum += products[j];
      sums[block] = sum;
    }
  }
};

/// Takes the products of blocks that the mask empties out of the softmax.
void hideEmpty(const uint8_t *rules, int64_t count, int64_t groups, float *products) {
  for (int64_t j = 0; j < count; j += groups)
    if (rules[j / groups] & emptyRule)
      std::fill(products + j, products + std::min(j + groups, count), -infinity);
}

/// The same of groups in which blocks of a token order have no token.
void hideTokenless(const int32_t *counts, int64_t count, int64_t groups, int64_t stride, float *products) {
  for (int64_t j = 0; j < count; j += groups)
    if (int64_t held = ceilDiv(counts[j / groups], stride); held < groups)
      std::fill(products + std::min(j + held, count), products + std::min(j + groups, count), -infinity);
}

/// Adds P of one query group to the scores of its block. largest: of the segments; sums: of the blocks.
void addGroup(const Samples &samples, const float *largest, const float *sums, int64_t blocks, double groups,
              float *scores) {
  int64_t segments = ceilDiv(blocks, samples.segmentBlocks);
  float most = *std::max_element(largest, largest + segments);
  auto factor = [&](int64_t segment) {
    return largest[segment] == most ? 1.0 : std::exp(static_cast<double>(largest[segment]) - most);
  };
  if (most == -infinity)
    return;
  double total = 0;
  for (int64_t segment = 0; segment < segments; ++segment) {
    double sum = 0;
    for (int64_t j = segment * samples.segmentBlocks, end = std::min(j + samples.segmentBlocks, blocks); j < end; ++j)
      sum += static_cast<double>(sums[j]);
    total += sum * factor(segment);
  }
  for (int64_t segment = 0; segment < segments; ++segment) {
    auto share = static_cast<float>(factor(segment) / (total * groups));
    for (int64_t j = segment * samples.segmentBlocks, end = std::min(j + samples.segmentBlocks, blocks); j < end; ++j)
      scores[j] += sums[j] * share;
  }
}

/// Products of the chunk's groups with a segment of keys, and what they leave behind.
void meetSegment(const SelectSlots &s, const BuiltinCall &call, const RowContext &at, const Samples &samples,
                 int64_t first, int64_t groups, int64_t segment) {
  const ScoreSlots &from = s.scores;
  int64_t width = samples.segmentTiles * groupTile, firstBlock = segment * samples.segmentBlocks;
  int64_t count = std::min(width, ceilDiv(at.liveK, from.stride) - segment * width), tiles = ceilDiv(count, groupTile);
  int64_t tile = at.gr / s.headsPerKV * from.sampleTilesPerPair + segment * samples.segmentTiles;
  const int64_t slots[] = {reinterpret_cast<int64_t>(samples.queries),
                           reinterpret_cast<int64_t>(from.samples + tile * samples.depth * groupTile),
                           reinterpret_cast<int64_t>(samples.products),
                           groups,
                           tiles,
                           std::bit_cast<int64_t>(from.scale / static_cast<double>(from.stride))};
  call.kernels[0](slots, 0, 0, 0, call.kernelScratch);
  for (int64_t r = 0; r < groups; ++r) {
    float *products = samples.products + r * tiles * groupTile;
    int64_t place = (at.gr * s.blocksQ + first + r / samples.groupsQ) * s.blocksK + firstBlock;
    if (s.rules)
      hideEmpty(s.rules + place, count, samples.groupsK, products);
    if (from.kCounts)
      hideTokenless(from.kCounts + at.head.batch * s.blocksK + firstBlock, count, samples.groupsK, from.stride,
                    products);
    Dispatch<SumBlocks, float *, int64_t, int64_t, float *, float *>::call(
        products, count, samples.groupsK, samples.largest + r * samples.segments + segment,
        samples.sums + r * s.blocksK + firstBlock);
  }
}

/// The same under a token order: groups are of places, of which any may have no token.
template <typename Element>
void packOrderedTile(const PackSamplesSlots &s, const typename Element::Type *k, const int32_t *order, int64_t first,
                     int64_t live, float *out) {
  using Type = typename Element::Type;
  for (int64_t t = 0; t < s.stride; ++t, out += s.headDim * groupTile) {
    int32_t tokens[groupTile];
    bool isThere[groupTile];
    for (int64_t c = 0; c < groupTile; ++c) {
      int64_t place = first + c * s.stride + t;
      int32_t token = place < live ? order[place] : -1;
      isThere[c] = token >= 0;
      tokens[c] = std::max(token, 0);
    }
    TileSource<Type> tile = {{k, s.kStrideN, tokens}, groupTile, s.headDim, nullptr};
    Dispatch<PackKeyTile<Element>, TileSource<Type>, int64_t, float *>::call(tile, groupTile, out);
    for (int64_t c = 0; c < groupTile; ++c)
      for (int64_t row = 0; row < s.headDim && !isThere[c]; ++row)
        out[row * groupTile + c] = 0;
  }
}

template <typename Element> void packTile(const PackSamplesSlots &s, const BuiltinCall &call) {
  using Type = typename Element::Type;
  GroupPair pair = groupPair(call.item1, s.firstPair, s.headsKV);
  const Type *k = static_cast<const Type *>(s.k) + pair.batch * s.kStrideB + pair.headKV * s.kStrideH;
  int64_t live = liveTokens(s.kLengths, pair.batch, s.tokens), first = call.item0 * groupTile * s.stride;
  float *out = s.samples + (call.item1 * s.tilesPerPair + call.item0) * s.stride * s.headDim * groupTile;
  if (s.order)
    return packOrderedTile<Element>(s, k, s.order + pair.batch * s.tokens, first, live, out);
  for (int64_t t = 0; t < s.stride; ++t, out += s.headDim * groupTile) {
    int64_t valid = std::clamp<int64_t>(ceilDiv(live - first - t, s.stride), 0, groupTile);
    TokenRows<Type> rows{k + (first + t) * s.kStrideN, s.stride * s.kStrideN};
    TileSource<Type> tile = {rows, valid, s.headDim, nullptr};
    Dispatch<PackKeyTile<Element>, TileSource<Type>, int64_t, float *>::call(tile, groupTile, out);
  }
}

void packSamples(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const PackSamplesSlots *>(call.slots);
  withElement(static_cast<DType>(s.dtype), [&](auto element) { packTile<decltype(element)>(s, call); });
}

} // namespace

void gatherQueries(const SelectSlots &s, const RowContext &at, int64_t firstToken, int64_t rows, int64_t groupSize,
                   float *out) {
  const ScoreSlots &from = s.scores;
  withElement(static_cast<DType>(from.dtype), [&](auto element) {
    using Element = decltype(element);
    using Rows = TokenRows<typename Element::Type>;
    const auto *q = static_cast<const typename Element::Type *>(from.q) + at.head.batch * from.qStrideB +
                    at.head.queryHead * from.qStrideH;
    Dispatch<GatherQueries<Element>, Rows, int64_t, int64_t, int64_t, int64_t, float *>::call(
        Rows{q, from.qStrideN, ofBatch(from.qOrder, at.head.batch, s.tokensQ)}.from(firstToken), at.liveQ - firstToken,
        groupSize, s.headDim, rows, out);
  });
}

int64_t sampleScratchBytes(const SelectSlots &s) {
  constexpr int64_t largestBlock = 1 << 16; // of a spec: 256
  auto isBlock = [&](int64_t size) { return size >= s.scores.stride && size <= largestBlock; };
  bool isSane = s.scores.stride > 0 && isBlock(s.blockQ) && isBlock(s.blockK) && s.rowsPerItem <= largestBlock;
  return isSane ? Samples(s, nullptr).bytes : INT64_MAX; // which is refused
}

void sampleRows(const SelectSlots &s, const BuiltinCall &call, const RowContext &at, int64_t first, int64_t rows,
                float *out, char *scratch) {
  Samples samples(s, scratch);
  int64_t firstToken = first * s.blockQ;
  int64_t groups = std::min(ceilDiv(at.liveQ - firstToken, s.scores.stride), rows * samples.groupsQ);
  gatherQueries(s, at, firstToken, groups, s.scores.stride, samples.queries);
  for (int64_t segment = 0; segment * samples.segmentBlocks < at.liveCols; ++segment)
    meetSegment(s, call, at, samples, first, groups, segment);
  for (int64_t row = 0; row < rows; ++row, out += scoreColumns(s)) {
    std::fill(out, out + at.liveCols, 0.0f);
    int64_t begin = row * samples.groupsQ;
    int64_t held = s.scores.qCounts
                       ? ceilDiv(s.scores.qCounts[at.head.batch * s.blocksQ + first + row], s.scores.stride)
                       : samples.groupsQ;
    int64_t end = std::min(begin + held, groups);
    for (int64_t r = begin; r < end; ++r)
      addGroup(samples, samples.largest + r * samples.segments, samples.sums + r * s.blocksK, at.liveCols,
               static_cast<double>(end - begin), out);
  }
}

const Builtin packSamplesBuiltin = {"pack_samples", sizeof(PackSamplesSlots) / 8, 0, packSamples, nullptr, nullptr};

} // namespace tercet::rt
