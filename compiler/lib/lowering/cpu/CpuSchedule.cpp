// The analytic default schedule. Numbers: bench/results/README.md and docs/decisions/0006-super-rows.md.
#include "CpuSchedule.h"

#include <fmt/format.h>

using namespace tercet;
using namespace tercet::compiler;

// Rows of small query blocks that visit a tile together: four row tiles of four, each left out where no row takes the tile.
static constexpr int64_t fewestVisitRows = 16;

static int64_t roundUp(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// The widest multiple of 16 up to 64 that divides a block: a tile never crosses one.
static int64_t tileOf(int64_t block) {
  int64_t tile = 64;
  while (block % tile != 0)
    tile -= 16;
  return tile;
}

static int64_t superRowOf(int64_t block) { return std::max<int64_t>(1, 256 / block) * block; }

static GradientSide gradientSide(const Program &program, int64_t block) {
  constexpr int64_t wholeTiles = 240; // of 4 rows and of 6
  if (!program.classified())
    return {wholeTiles, wholeTiles / 4, 64, 64};
  return {superRowOf(block), block, tileOf(block), block};
}

CpuSchedule compiler::chooseCpuSchedule(const Program &program, CpuLevel level) {
  CpuSchedule schedule;
  schedule.level = level;
  schedule.lanes = level == CpuLevel::v4 ? 16 : level == CpuLevel::v3 ? 8 : 4;
  schedule.inPanels = level != CpuLevel::v4; // 16 registers
  if (schedule.inPanels) {
    // 6 rows x 2 vectors: 12 accumulators, which 16 registers hold beside what they are made of. Programs
    // without classification have blocks that leave no row over.
    schedule.rowTile = schedule.featureRows = 6;
    schedule.blockQ = 60;
  }
  if (program.classified()) {
    schedule.blockQ = program.blockQ;
    schedule.blockK = program.blockK;
  }
  schedule.keyTile = tileOf(schedule.blockK);
  schedule.visitRows = std::max<int64_t>(schedule.blockQ, fewestVisitRows);
  schedule.superRow = superRowOf(schedule.visitRows);

  // 16-bit keys have half the bytes that bound the state's memory (docs/architecture.md#workspace): half the slice.
  schedule.valueSlice = program.dtype == DType::f32 && program.valueDim > 16 ? 32 : 16;
  schedule.featureChunk = schedule.inPanels ? 16 : 16 * schedule.lanes / schedule.valueSlice;
  schedule.queries = gradientSide(program, schedule.visitRows);
  schedule.keys = gradientSide(program, schedule.blockK);
  schedule.aggregateChains = schedule.inPanels ? 2 : 4;
  deriveSizes(program, schedule);
  return schedule;
}

// Lists are of super rows of queries and of tiles of keys, which a backward has of the same size; so have states of key blocks.
void compiler::deriveSizes(const Program &program, CpuSchedule &schedule) {
  schedule.featureDim = roundUp(program.headDim, std::max<int64_t>(16, schedule.featureChunk));
  schedule.valueDim = roundUp(program.valueDim, program.linear ? schedule.valueSlice : 16);
  schedule.keyPanel = schedule.inPanels ? 2 * schedule.lanes : schedule.keyTile;
  schedule.valuePanel = schedule.inPanels ? 2 * schedule.lanes : schedule.valueDim;
  schedule.keys.tile = schedule.keyTile;
  if (program.classified())
    schedule.queries.superRow = schedule.superRow;
}
