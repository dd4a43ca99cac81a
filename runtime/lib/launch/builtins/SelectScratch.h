// SelectScratch: what the items of select and of its spans have in common: scratch, and the rule of keep of some heads.
#pragma once

#include "BuiltinTable.h"
#include "KeepRules.h"
#include "ScoreRows.h"

#include <algorithm>
#include <cstring>

namespace tercet::rt {

/// Cuts arrays off a worker's scratch, or with a null base adds up what they take.
class ScratchCutter {
public:
  explicit ScratchCutter(char *base) : base(base) {}

  template <typename T> T *take(int64_t count) {
    T *array = base ? reinterpret_cast<T *>(base + used) : nullptr;
    constexpr int64_t line = 64;
    int64_t lines = saturatingProduct(count, sizeof(T)) / line + 1, bytes = saturatingProduct(lines, line);
    used = bytes > INT64_MAX - used ? INT64_MAX : used + bytes;
    return array;
  }
  int64_t bytes() const { return used; }

private:
  char *base;
  int64_t used = 0;
};

/// Arrays of an item that scores a chunk of rows.
struct ChunkScratch {
  float *scores;         ///< [rows][scoreColumns]
  int32_t *keys;         ///< of a row
  uint8_t *states;       ///< of a row
  float *sums;           ///< [rows][scoreColumns], of the heads of a group
  uint8_t *mergedStates; ///< [rows][scoreColumns], likewise
  char *forScores;
  int64_t bytes;

  ChunkScratch(const SelectSlots &s, char *base) {
    ScratchCutter cutter(base);
    int64_t columns = scoreColumns(s), rows = std::min(s.rowsPerItem, s.blocksQ);
    bool isGroup = s.scope == static_cast<int64_t>(SelectScope::group);
    int64_t cells = saturatingProduct(rows, columns);
    scores = cutter.take<float>(cells);
    keys = cutter.take<int32_t>(columns);
    states = cutter.take<uint8_t>(columns);
    sums = cutter.take<float>(isGroup ? cells : 0);
    mergedStates = cutter.take<uint8_t>(isGroup ? cells : 0);
    forScores = cutter.take<char>(scoreScratchBytes(s));
    bytes = cutter.bytes();
  }
};

inline int64_t chunkScratchBytes(const int64_t *slots) {
  return ChunkScratch(*reinterpret_cast<const SelectSlots *>(slots), nullptr).bytes;
}

/// The query blocks of an item, and how many of them are live.
struct Chunk {
  int64_t first, rows, live;

  Chunk(const SelectSlots &s, int64_t item, const RowContext &at)
      : first(item * s.rowsPerItem), rows(std::min(s.rowsPerItem, s.blocksQ - first)),
        live(std::clamp<int64_t>(at.liveRows - first, 0, rows)) {}
};

inline int8_t *classRow(const SelectSlots &s, const GroupHead &head, int64_t i) {
  return s.classes + head.batch * s.strideB + head.queryHead * s.strideH + i * s.strideI;
}

/// The live rows of an item's chunk of one head, scored.
struct ScoredChunk {
  ChunkScratch scratch;
  RowContext at;
  Chunk chunk;

  ScoredChunk(const SelectSlots &s, const BuiltinCall &call)
      : scratch(s, call.scratch), at(s, call.item1), chunk(s, call.item0, at) {
    if (chunk.live > 0 && at.liveCols > 0)
      scoreRows(s, call, at, chunk.first, chunk.live, scratch.scores, scratch.forScores);
  }
};

/// The rule of a span over `heads` query heads from `firstHead` on: budgets replace keep by their mean.
inline SelectionRule ruleOf(const SelectSlots &s, int64_t firstHead, int64_t heads) {
  SelectionRule rule = {static_cast<KeepRule>(s.keepRule),
                        static_cast<CountRule>(s.countRule),
                        s.dropIsCount != 0,
                        s.forcedCounts != 0,
                        s.keep,
                        s.drop,
                        decimalSlack,
                        s.minKeep,
                        s.maxKeep,
                        s.apart != 0,
                        s.byShare != 0};
  if (!s.budgets)
    return rule;
  bool isCount = rule.keepRule == KeepRule::count;
  double sum = 0;
  for (int64_t head = firstHead; head < firstHead + heads; ++head)
    if (auto budget = static_cast<double>(s.budgets[head * s.budgetStride]); budget > 0) // a NaN is 0
      sum += isCount ? std::floor(budget) : std::min(1.0, budget);
  rule.keep = sum / static_cast<double>(heads);
  rule.keepSlack = budgetSlack;
  return rule;
}

} // namespace tercet::rt
