// select: scores of a chunk of query blocks, then one classification per row, of a head or of the heads of a group.
// Contract: Builtins.h.
#include "BuiltinTable.h"
#include "SelectScratch.h"

namespace tercet::rt {
namespace {

void classifyRow(const SelectionRule &rule, const float *values, const uint8_t *states, int64_t count, bool areShares,
                 int32_t *keys, int8_t *classes) {
  Weighing weighing;
  SpanTally tally = tallyRow(rule, values, states, count, areShares, keys, weighing);
  makeKeys(values, states, candidate, count, keys);
  Quota quota = quotaOf(rule, tally, keys, count, weighing);
  writeClasses(keys, states, count, cutOf(quota, tally.candidates, keys, count), classes);
}

void clearBehind(const SelectSlots &s, const RowContext &at, const Chunk &chunk) {
  for (int64_t row = 0; row < chunk.rows; ++row) {
    int64_t live = row < chunk.live ? at.liveCols : 0;
    std::memset(classRow(s, at.head, chunk.first + row) + live, -1, static_cast<size_t>(s.blocksK - live));
  }
}

void selectHead(const SelectSlots &s, const BuiltinCall &call) {
  auto [scratch, at, chunk] = ScoredChunk(s, call);
  SelectionRule rule = ruleOf(s, at.head.queryHead, 1);
  for (int64_t row = 0; row < chunk.live; ++row) {
    findStates(s, at, chunk.first + row, scratch.states);
    classifyRow(rule, scratch.scores + row * scoreColumns(s), scratch.states, at.liveCols, areShares(s), scratch.keys,
                classRow(s, at.head, chunk.first + row));
  }
  clearBehind(s, at, chunk);
}

/// Adds P of one head of a group to the sums of a chunk's rows, and its states to theirs.
void addHead(const SelectSlots &s, const BuiltinCall &call, const RowContext &at, const Chunk &chunk, bool isFirst,
             const ChunkScratch &scratch) {
  SelectionRule shares = {.keepRule = KeepRule::mass};
  scoreRows(s, call, at, chunk.first, chunk.live, scratch.scores, scratch.forScores);
  for (int64_t row = 0; row < chunk.live; ++row) {
    const float *values = scratch.scores + row * scoreColumns(s);
    float *sums = scratch.sums + row * scoreColumns(s);
    uint8_t *merged = scratch.mergedStates + row * scoreColumns(s);
    findStates(s, at, chunk.first + row, scratch.states);
    if (isFirst) {
      std::memset(sums, 0, static_cast<size_t>(at.liveCols) * sizeof(float));
      std::memcpy(merged, scratch.states, static_cast<size_t>(at.liveCols));
    } else {
      mergeStates(scratch.states, at.liveCols, merged);
    }
    Weighing weighing;
    tallyRow(shares, values, scratch.states, at.liveCols, areShares(s), scratch.keys, weighing);
    weighing.unit *= static_cast<double>(s.headsPerKV);
    addShares(values, scratch.states, at.liveCols, weighing, sums);
  }
}

/// The classes of a group's row for one of its heads: blocks that its own mask empties are -1.
void copyRow(const SelectSlots &s, const RowContext &at, int64_t i, const int8_t *shared) {
  int8_t *classes = classRow(s, at.head, i);
  if (classes != shared)
    std::memcpy(classes, shared, static_cast<size_t>(at.liveCols));
}

void clearEmpty(const SelectSlots &s, const RowContext &at, int64_t i) {
  if (!s.rules)
    return;
  const uint8_t *rules = s.rules + (at.gr * s.blocksQ + i) * s.blocksK;
  int8_t *classes = classRow(s, at.head, i);
  for (int64_t j = 0; j < at.liveCols; ++j)
    classes[j] = rules[j] & emptyRule ? int8_t{-1} : classes[j];
}

void selectGroup(const SelectSlots &s, const BuiltinCall &call) {
  ChunkScratch scratch(s, call.scratch);
  int64_t firstHead = call.item1 * s.headsPerKV;
  RowContext first(s, firstHead);
  Chunk chunk(s, call.item0, first);
  SelectionRule rule = ruleOf(s, first.head.queryHead, s.headsPerKV);
  for (int64_t r = 0; r < s.headsPerKV && chunk.live > 0 && first.liveCols > 0; ++r)
    addHead(s, call, RowContext(s, firstHead + r), chunk, r == 0, scratch);
  for (int64_t row = 0; row < chunk.live; ++row)
    classifyRow(rule, scratch.sums + row * scoreColumns(s), scratch.mergedStates + row * scoreColumns(s),
                first.liveCols, /*areShares=*/true, scratch.keys, classRow(s, first.head, chunk.first + row));
  for (int64_t r = s.headsPerKV; r-- > 0;) { // the first head's rows are the ones that the others copy
    RowContext at(s, firstHead + r);
    for (int64_t row = 0; row < chunk.live; ++row) {
      copyRow(s, at, chunk.first + row, classRow(s, first.head, chunk.first + row));
      clearEmpty(s, at, chunk.first + row);
    }
    clearBehind(s, at, chunk);
  }
}

void run(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const SelectSlots *>(call.slots);
  if (s.scope == static_cast<int64_t>(SelectScope::group))
    selectGroup(s, call);
  else
    selectHead(s, call);
}

} // namespace

const Builtin selectBuiltin = {"select", sizeof(SelectSlots) / 8, 1, run, chunkScratchBytes, classMapOf<SelectSlots>};
const Builtin selectGivenBuiltin = {"select_given",    sizeof(SelectSlots) / 8, 0, run,
                                    chunkScratchBytes, classMapOf<SelectSlots>};

} // namespace tercet::rt
