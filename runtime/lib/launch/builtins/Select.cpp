// select: block scores of up to 64 query blocks through a compiled kernel, then one classification per row. Contract:
// Builtins.h.
#include "BuiltinTable.h"
#include "GroupHead.h"
#include "RowSelection.h"

#include "tercet/Builtins.h"

#include <bit>
#include <cstring>

namespace tercet::rt {
namespace {

constexpr int64_t chunkRows = 64;
constexpr int64_t meanTile = 64;

int64_t scoreRowLength(const SelectSlots &s) { return s.meanTilesPerPair * meanTile; }

int64_t scratchBytes(const int64_t *slots) {
  const auto &s = *reinterpret_cast<const SelectSlots *>(slots);
  static_assert(sizeof(float) == sizeof(int32_t), "a row of scores has the bytes of a row of indices");
  int64_t rowBytes = saturatingProduct(s.meanTilesPerPair, meanTile * static_cast<int64_t>(sizeof(float)));
  return saturatingProduct(std::min(chunkRows, s.blocksQ) + 1, rowBytes); // scores of a chunk, indices of a row
}

/// The key blocks that share a token index with the valid rows of query block i: none once the keys have run out.
void setDiagonal(const SelectSlots &s, int64_t i, int64_t liveQ, int64_t liveK, RowRule &rule) {
  int64_t first = i * s.blockQ, end = std::min({first + s.blockQ, liveQ, liveK});
  rule.diagonalBegin = first / s.blockK;
  rule.diagonalEnd = first < end ? (end - 1) / s.blockK + 1 : rule.diagonalBegin;
}

void run(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const SelectSlots *>(call.slots);
  int64_t gr = call.item1, first = call.item0 * chunkRows, rows = std::min(chunkRows, s.blocksQ - first);
  GroupHead head = groupHead(gr, s.firstPair, s.headsKV, s.headsPerKV);
  int64_t liveQ = liveTokens(s.qLengths, head.batch, s.tokensQ);
  int64_t liveK = liveTokens(s.kLengths, head.batch, s.tokensK);
  int64_t liveRows = std::clamp<int64_t>(liveBlocks(s.qLengths, head.batch, s.tokensQ, s.blockQ) - first, 0, rows);

  RowRule rule = {};
  rule.live = liveBlocks(s.kLengths, head.batch, s.tokensK, s.blockK);
  auto countRule = static_cast<CountRule>(s.countRule);
  rule.kept = blockCount(s.keep, s.keepIsCount, countRule, rule.live);
  if (s.keep > 0)
    rule.kept = std::clamp<int64_t>(std::max(rule.kept, s.minKeep), 0, rule.live);
  rule.dropped = blockCount(s.drop, s.dropIsCount, countRule, rule.live);
  rule.sink = s.sink;
  rule.forcedCounts = s.forcedCounts;

  auto *scores = reinterpret_cast<float *>(call.scratch);
  auto *keys = reinterpret_cast<int32_t *>(scores + std::min(chunkRows, s.blocksQ) * scoreRowLength(s));
  if (liveRows > 0) {
    const float *meanQ = s.meanQ + (gr * s.blocksQ + first) * s.headDim;
    const float *meanK = s.meanK + gr / s.headsPerKV * s.meanTilesPerPair * s.headDim * meanTile;
    const int64_t slots[] = {reinterpret_cast<int64_t>(meanQ),
                             reinterpret_cast<int64_t>(meanK),
                             reinterpret_cast<int64_t>(scores),
                             liveRows,
                             s.meanTilesPerPair,
                             std::bit_cast<int64_t>(s.scale)};
    call.kernels[0](slots, 0, 0, 0, call.kernelScratch);
  }
  for (int64_t row = 0; row < rows; ++row) {
    int8_t *classes = s.classes + head.batch * s.strideB + head.queryHead * s.strideH + (first + row) * s.strideI;
    int64_t live = row < liveRows ? rule.live : 0;
    if (live > 0) {
      if (s.diagonal)
        setDiagonal(s, first + row, liveQ, liveK, rule);
      classifyRow(scores + row * scoreRowLength(s), rule, keys, classes);
    }
    std::memset(classes + live, -1, static_cast<size_t>(s.blocksK - live));
  }
}

} // namespace

const Builtin selectBuiltin = {"select", sizeof(SelectSlots) / 8, 1, run, scratchBytes, classMapOf<SelectSlots>};

} // namespace tercet::rt
