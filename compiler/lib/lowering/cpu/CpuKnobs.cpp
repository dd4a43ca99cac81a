// The table of knobs and the table of rules: see the header. Where numbers come from: docs/decisions/0028-schedule-spaces.md.
#include "CpuKnobs.h"

#include "tercet/Builtins.h"

using namespace tercet;
using namespace tercet::compiler;

static bool always(const Program &) { return true; }
static bool isBackward(const Program &program) { return program.direction == Direction::backward; }
// A backward runs attend again where its spec has several stages; of classes it takes the forward's lists.
static bool hasSuperRows(const Program &program) {
  return !isBackward(program) || program.classified() || program.attends.size() > 1;
}
static bool hasFreeQueryRows(const Program &program) { return isBackward(program) && !program.classified(); }
static bool hasStates(const Program &program) { return program.linear; }
static bool hasSubsets(const Program &program) { return program.linear && !program.globalState(); }

static constexpr int64_t rowCounts[] = {60,  64,  120, 128, 192, 240, 256,
                                        320, 360, 384, 480, 512, 640, 768}; // of 16 to 256 query rows, and of 60
static constexpr int64_t tileWidths[] = {16, 32, 48, 64, 96, 128};
static constexpr int64_t sliceWidths[] = {16, 32, 64, 128};
static constexpr int64_t chunkHeights[] = {4, 8, 16, 32};
static constexpr int64_t subsetSizes[] = {1, 2, 3, 4, 5, 6};
static constexpr int64_t segmentSizes[] = {60, 64, 120, 128, 240, 256, 480, 512};
static constexpr int64_t columnCounts[] = {16, 32, 64};
static constexpr int64_t chainCounts[] = {1, 2, 4, 8};

#define KNOB_PLACE(place) [](CpuSchedule &schedule) -> int64_t & { return schedule.place; }

static const CpuKnob knobs[] = {
    {"super_row", "query rows per work item of attend", KNOB_PLACE(superRow), hasSuperRows, rowCounts},
    {"key_tile", "keys per score tile", KNOB_PLACE(keyTile), always, tileWidths},
    {"value_slice", "value columns of a state in memory at a time", KNOB_PLACE(valueSlice), hasStates, sliceWidths},
    {"feature_chunk", "feature rows of a state that lie together", KNOB_PLACE(featureChunk), hasStates, chunkHeights},
    {"subset_blocks", "key blocks whose subsets are summed ahead; 1: none", KNOB_PLACE(subsetBlocks), hasSubsets,
     subsetSizes},
    {"segment_blocks", "key blocks with tables of such sums at a time", KNOB_PLACE(segmentBlocks), hasSubsets,
     segmentSizes},
    {"aggregate_columns", "columns of a state summed at a time", KNOB_PLACE(aggregateColumns), hasStates, columnCounts},
    {"aggregate_chains", "sums of such columns side by side", KNOB_PLACE(aggregateChains), hasSubsets, chainCounts},
    {"query_rows", "query rows per work item of the backward", KNOB_PLACE(queries.superRow), hasFreeQueryRows,
     rowCounts},
    {"query_tile", "queries that key rows of the backward visit at a time", KNOB_PLACE(queries.tile), isBackward,
     tileWidths},
    {"key_rows", "key rows per work item of the backward", KNOB_PLACE(keys.superRow), isBackward, rowCounts},
};

#undef KNOB_PLACE

// What an item keeps beside the tiles that it streams has half of an L2 of 2 MiB, as have tables of sums.
static constexpr int64_t residentBytes = 1 << 20;
static constexpr int64_t registersOf(const CpuSchedule &schedule) { return schedule.inPanels ? 16 : 32; }

// A single run of rows always does, and 256 of them do, as by default.
static bool fitsRows(const Program &program, int64_t rows, int64_t run, int64_t matrices) {
  int64_t widths = CpuSchedule::padded(program.headDim) + CpuSchedule::padded(program.valueDim);
  return rows <= std::max<int64_t>(256, run) || rows * (matrices * widths + 17) * 4 <= residentBytes; // 17: softmax
}

static bool fitsTile(const CpuSchedule &schedule, int64_t width) {
  return schedule.inPanels || schedule.rowTile * width <= 16 * schedule.lanes;
}

static bool isWhole(int64_t value, int64_t part) { return value % part == 0; }

static const CpuRule rules[] = {
    {"whole-runs", "an item has whole runs of rows that visit tiles together",
     [](const Program &program, const CpuSchedule &s) {
       return isWhole(s.superRow, s.visitRows) && isWhole(s.queries.superRow, s.queries.block) &&
              isWhole(s.keys.superRow, s.keys.block);
     }},
    {"list-bits", "an entry of a list has 16 bits for the runs of rows that take it",
     [](const Program &program, const CpuSchedule &s) {
       return !program.classified() ||
              (s.superRow / s.visitRows <= partialBit && s.keys.superRow / s.blockK <= partialBit);
     }},
    {"taker-bytes", "rows that are gathered are numbered by bytes",
     [](const Program &program, const CpuSchedule &s) { return !program.gathersRows() || s.superRow <= 256; }},
    {"resident-rows", "beyond 256 rows, what an item keeps of them takes 1 MiB at most",
     [](const Program &program, const CpuSchedule &s) {
       return fitsRows(program, s.superRow, s.visitRows, 1) &&
              (!isBackward(program) || (fitsRows(program, s.queries.superRow, s.queries.block, 2) &&
                                        fitsRows(program, s.keys.superRow, s.keys.block, 2)));
     }},
    {"whole-blocks", "tiles divide the classification block, or 64",
     [](const Program &program, const CpuSchedule &s) {
       return isWhole(s.blockK, s.keyTile) && isWhole(s.queries.packed, s.queries.tile);
     }},
    {"whole-panels", "tiles are whole register blocks",
     [](const Program &program, const CpuSchedule &s) {
       return !s.inPanels || (isWhole(s.keyTile, s.keyPanel) && isWhole(s.queries.tile, s.keyPanel));
     }},
    {"tile-registers", "a score tile has 16 registers of accumulators at most",
     [](const Program &program, const CpuSchedule &s) {
       return fitsTile(s, s.keyTile) && fitsTile(s, s.queries.tile);
     }},
    {"value-columns", "a slice is no wider than the values",
     [](const Program &program, const CpuSchedule &s) {
       return s.valueSlice <= 16 || s.valueSlice < 2 * CpuSchedule::padded(program.valueDim);
     }},
    {"state-registers", "a register block of a state is 32 vectors at most",
     [](const Program &program, const CpuSchedule &s) {
       return s.featureChunk * std::min(s.valueSlice, s.inPanels ? s.valuePanel : s.valueSlice) <= 32 * s.lanes;
     }},
    {"whole-runs-of-subsets", "a segment has whole runs of blocks whose subsets are summed",
     [](const Program &program, const CpuSchedule &s) { return isWhole(s.segmentBlocks, s.subsetBlocks); }},
    {"resident-tables", "tables of sums of a segment take 1 MiB at most",
     [](const Program &program, const CpuSchedule &s) {
       int64_t rows = s.segmentBlocks / s.subsetBlocks << s.subsetBlocks;
       return rows * s.aggregateColumns * 4 <= residentBytes;
     }},
    {"sum-registers", "sums side by side fit into the registers",
     [](const Program &program, const CpuSchedule &s) {
       return s.aggregateChains * s.aggregateColumns <= registersOf(s) * s.lanes;
     }},
};

llvm::ArrayRef<CpuKnob> compiler::cpuKnobs() { return knobs; }
llvm::ArrayRef<CpuRule> compiler::cpuRules() { return rules; }

const CpuRule *compiler::brokenRule(const Program &program, const CpuSchedule &schedule) {
  for (const CpuRule &rule : rules)
    if (!rule.holds(program, schedule))
      return &rule;
  return nullptr;
}

int64_t compiler::valueOf(const CpuSchedule &schedule, const CpuKnob &knob) {
  CpuSchedule copy = schedule;
  return knob.of(copy);
}

CpuSchedule compiler::with(const Program &program, CpuSchedule schedule, const CpuKnob &knob, int64_t value) {
  knob.of(schedule) = value;
  deriveSizes(program, schedule);
  return schedule;
}

llvm::SmallVector<int64_t> compiler::legalValues(const Program &program, const CpuSchedule &schedule,
                                                 const CpuKnob &knob) {
  llvm::SmallVector<int64_t> values(knob.tried.begin(), knob.tried.end());
  int64_t byDefault = valueOf(chooseCpuSchedule(program, schedule.level), knob);
  values.insert(llvm::lower_bound(values, byDefault), byDefault);
  values.erase(llvm::unique(values), values.end());
  llvm::erase_if(values,
                 [&](int64_t value) { return brokenRule(program, with(program, schedule, knob, value)) != nullptr; });
  return values;
}
