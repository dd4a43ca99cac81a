// The analytic default schedule. Numbers: bench/results/README.md and docs/decisions/0006-super-rows.md.
#include "CpuSchedule.h"

#include <fmt/format.h>

using namespace tercet;
using namespace tercet::compiler;

static int64_t roundUp(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

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
  // The widest multiple of 16 up to 64 that divides the block: a score tile never crosses a block.
  for (schedule.keyTile = 64; schedule.blockK % schedule.keyTile != 0;)
    schedule.keyTile -= 16;
  schedule.superRow = std::max<int64_t>(1, 256 / schedule.blockQ) * schedule.blockQ;

  // 16-bit keys have half the bytes that bound the state's memory (docs/architecture.md#workspace): half the slice.
  schedule.valueSlice = program.dtype == DType::f32 && program.valueDim > 16 ? 32 : 16;
  schedule.featureChunk = schedule.inPanels ? 16 : 16 * schedule.lanes / schedule.valueSlice;
  schedule.featureDim = roundUp(program.headDim, std::max<int64_t>(16, schedule.featureChunk));
  schedule.valueDim = roundUp(program.valueDim, program.linear ? schedule.valueSlice : 16);
  schedule.keyPanel = schedule.inPanels ? 2 * schedule.lanes : schedule.keyTile;
  schedule.valuePanel = schedule.inPanels ? 2 * schedule.lanes : schedule.valueDim;
  schedule.aggregateChains = schedule.inPanels ? 2 : 4;
  return schedule;
}

std::string CpuSchedule::text() const {
  return fmt::format("cpu {} lanes={} row_tile={} key_tile={} panel={} super_row={} value_slice={} feature_chunk={}",
                     cpuLevelName(level), lanes, rowTile, keyTile, keyPanel, superRow, valueSlice, featureChunk);
}
