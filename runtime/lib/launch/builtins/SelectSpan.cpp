// span_keys, span_bounds, span_classes: selection where a rule ranks over all rows of some heads. Contract: Builtins.h.
// Rows are ranked and classified in parallel; between them one item per span finds its bounds, so that nothing depends on
// the number of threads.
#include "BuiltinTable.h"
#include "SelectScratch.h"

namespace tercet::rt {
namespace {

const SelectSlots &slotsOf(const BuiltinCall &call) { return *reinterpret_cast<const SelectSlots *>(call.slots); }

/// How rows of a span are compared: by P where the rule uses it, so that one weighing serves them all.
Weighing spanWeighing(const SelectSlots &s) {
  return areShares(s) ? Weighing() : Weighing{/*isShare=*/false, /*offset=*/0, /*unit=*/1};
}

SpanRow rankRow(const SelectSlots &s, const SelectionRule &rule, float *values, const uint8_t *states, int64_t count,
                int32_t *keys) {
  Weighing weighing;
  SpanTally tally = tallyRow(rule, values, states, count, areShares(s), keys, weighing);
  if (rule.needsShares() && !areShares(s)) {
    float largest = weighing.offset;
    makeLogShares(&largest, 1, weighing);
    makeLogShares(values, count, weighing);
    tally.mass /= weighing.unit;
    tally.spentMass /= weighing.unit;
    tally.largest = tally.largest > 0 ? spanWeighing(s).weight(largest) : 0; // to the bit what the block weighs
  }
  makeKeys(values, states, candidate, count, keys);
  return {tally.live, tally.candidates, tally.spending, tally.mass, tally.spentMass, tally.largest, 0, 0};
}

void rankRows(const BuiltinCall &call) {
  const SelectSlots &s = slotsOf(call);
  auto [scratch, at, chunk] = ScoredChunk(s, call);
  SelectionRule rule = ruleOf(s, at.head.queryHead, 1);
  for (int64_t row = 0; row < chunk.rows; ++row) {
    int64_t place = at.gr * s.blocksQ + chunk.first + row, live = row < chunk.live ? at.liveCols : 0;
    int32_t *keys = s.keys + place * s.blocksK;
    s.spanRows[place] = {};
    if (live > 0) {
      findStates(s, at, chunk.first + row, scratch.states);
      s.spanRows[place] = rankRow(s, rule, scratch.scores + row * scoreColumns(s), scratch.states, live, keys);
    }
    std::fill(keys + live, keys + s.blocksK, noKey);
  }
}

void findBounds(const BuiltinCall &call) {
  const SelectSlots &s = slotsOf(call);
  int64_t firstHead = call.item0 * s.headsPerSpan, rows = s.headsPerSpan * s.blocksQ;
  int64_t queryHead = groupHead(firstHead, s.firstPair, s.headsKV, s.headsPerKV).queryHead;
  SelectionRule rule = ruleOf(s, queryHead, s.headsPerSpan);
  const int32_t *keys = s.keys + firstHead * s.blocksQ * s.blocksK;
  SpanRow *spanRows = s.spanRows + firstHead * s.blocksQ;
  SpanTally tally;
  for (const SpanRow *row = spanRows; row < spanRows + rows; ++row)
    tally.add({row->live, row->candidates, row->spending, row->mass, row->spentMass, row->largest});
  Quota quota = quotaOf(rule, tally, keys, rows * s.blocksK, spanWeighing(s));
  Cut cut = cutOf(quota, tally.candidates, keys, rows * s.blocksK);
  s.bounds[call.item0] = cut.bounds;
  for (int64_t row = 0; row < rows; ++row) {
    spanRows[row].keptTies = cut.keptTies;
    spanRows[row].droppedTies = cut.droppedTies;
    cut = cutBehind(cut, keys + row * s.blocksK, s.blocksK);
  }
}

void writeRows(const BuiltinCall &call) {
  const SelectSlots &s = slotsOf(call);
  auto *states = reinterpret_cast<uint8_t *>(call.scratch);
  RowContext at(s, call.item1);
  Chunk chunk(s, call.item0, at);
  for (int64_t row = 0; row < chunk.rows; ++row) {
    int64_t place = at.gr * s.blocksQ + chunk.first + row, live = row < chunk.live ? at.liveCols : 0;
    int8_t *classes = classRow(s, at.head, chunk.first + row);
    if (live > 0) {
      findStates(s, at, chunk.first + row, states);
      const SpanRow &ties = s.spanRows[place];
      Cut cut = {s.bounds[call.item1 / s.headsPerSpan], ties.keptTies, ties.droppedTies};
      writeClasses(s.keys + place * s.blocksK, states, live, cut, classes);
    }
    std::memset(classes + live, -1, static_cast<size_t>(s.blocksK - live));
  }
}

int64_t stateBytes(const int64_t *slots) { return reinterpret_cast<const SelectSlots *>(slots)->blocksK; }

} // namespace

const Builtin spanKeysBuiltin = {"span_keys", sizeof(SelectSlots) / 8, 1, rankRows, chunkScratchBytes, nullptr};
const Builtin spanKeysGivenBuiltin = {"span_keys_given", sizeof(SelectSlots) / 8, 0,
                                      rankRows,          chunkScratchBytes,       nullptr};
const Builtin spanBoundsBuiltin = {"span_bounds", sizeof(SelectSlots) / 8, 0, findBounds, nullptr, nullptr};
const Builtin spanClassesBuiltin = {"span_classes", sizeof(SelectSlots) / 8, 0, writeRows,
                                    stateBytes,     classMapOf<SelectSlots>};

} // namespace tercet::rt
