// The floor model of a CPU program: multiply-adds at the rate that a register block allows, and bytes that stream from beyond L2, one
// after the other, since a core's loads and its products share its ports. Rates are those of one core of the class that
// bench/results/README.md was measured on; for other cores the order of schedules matters, not the milliseconds.
#include "CpuSpace.h"

#include <cmath>

using namespace tercet;
using namespace tercet::compiler;

namespace {

constexpr double clocksPerMs = 2.7e6, streamBytesPerClock = 16, cacheBytesPerClock = 48;
/// Of a score tile: the softmax step, its branch, and the loops around.
constexpr double clocksPerTile = 60, clocksPerVector = 9;

double real(int64_t value) { return static_cast<double>(value); }
double roundedUp(double value, double multiple) { return std::ceil(value / multiple) * multiple; }

class CostModel {
public:
  CostModel(const Program &program, const CpuSchedule &schedule, const ExpectedCall &call, int threads)
      : program(program), s(schedule), threads(threads), heads(real(call.batch * call.heads)),
        pairs(real(call.batch * call.headsKV)), N(real(call.queries)), M(real(call.keys)),
        kept(program.classified() ? call.kept.value_or(1) : 1) {}

  double milliseconds() const {
    double clocks = 0;
    if (program.direction != Direction::backward)
      clocks += attend();
    else
      clocks +=
          gradient(N, M, program.classified() ? s.superRow : s.queries.superRow, s.queries.block, s.keys.tile, 3) +
          gradient(M, N, s.keys.superRow, s.keys.block, s.queries.tile, 4);
    if (program.linear)
      clocks += states() * (program.direction == Direction::backward ? 2 : 1);
    return clocks / clocksPerMs / threads;
  }

private:
  /// Multiply-adds per clock of a register block: two per clock, as far as loads, broadcasts and their latency of four clocks allow.
  double rate(double rows, double vectors) const {
    double products = rows * vectors, loads = rows + vectors;
    return 2 * s.lanes * std::min({1.0, products / 8, products / loads});
  }

  /// Items are handed out one by one: the last ones may leave threads idle.
  double balanced(double clocks, double items) const {
    return clocks * std::ceil(items / threads) * threads / std::max(1.0, items);
  }

  /// Of the columns, what some run of rows of an item takes: neighbouring runs have half of their lists in common.
  double united(double runs) const { return std::min(1.0, kept * (1 + (runs - 1) / 2)); }

  double tiles(double rows, double columns, double tile, double depth, double products) const {
    double vectors = tile / real(s.inPanels ? s.lanes * (tile / s.keyPanel) : s.lanes);
    double perTile = products * real(s.rowTile) * tile * depth / rate(real(s.rowTile), vectors) + clocksPerTile +
                     clocksPerVector * real(s.rowTile) * tile / real(s.lanes);
    return heads * rows / real(s.rowTile) * columns * kept / tile * perTile;
  }

  double attend() const {
    double items = heads * std::ceil(N / real(s.superRow)), depth = real(program.headDim + s.valueDim);
    double streamed = items * united(real(s.visitsPerRow())) * M * depth * 4 / streamBytesPerClock;
    return balanced(tiles(N, M, real(s.keyTile), depth, 1) + streamed, items);
  }

  double gradient(double rows, double columns, int64_t height, int64_t block, int64_t tile, double products) const {
    double items = heads * std::ceil(rows / real(height)), depth = real(program.headDim + program.valueDim) / 2;
    double streamed = items * united(real(height / block)) * columns * depth * products * 4 / streamBytesPerClock;
    return balanced(tiles(rows, columns, real(tile), depth, products) + streamed, items);
  }

  /// States of key blocks, their sums for query blocks, and what queries make of these.
  double states() const {
    double F = real(s.featureDim), V = real(s.valueDim), rowBlocks = std::ceil(N / real(s.blockQ)),
           columnBlocks = std::ceil(M / real(s.blockK));
    double width = real(std::min(s.valueSlice, s.inPanels ? s.valuePanel : s.valueSlice)) / real(s.lanes);
    double made = pairs * M * F * V / rate(std::min(16.0, real(s.featureChunk)), width);
    double used = heads * N * F * V / rate(real(s.featureRows), width);
    if (program.globalState())
      return made + used;
    double subset = rowBlocks < 16 ? 1 : real(s.subsetBlocks), segment = real(s.segmentBlocks);
    double chains = std::min(1.0, real(s.aggregateChains * s.aggregateColumns / s.lanes) / 8);
    double bytes = F * V * 4;
    double entries = heads * rowBlocks * columnBlocks / subset * bytes / chains;
    double tables = subset == 1 ? 0 : heads * columnBlocks * std::exp2(subset) / subset * 3 * bytes;
    double carried = heads * rowBlocks * (roundedUp(columnBlocks, segment) / segment) * 2 * bytes;
    // Tables beyond 256 KiB leave less and less of L2 to what else a core works on.
    double kept = real(s.segmentBlocks / s.subsetBlocks << s.subsetBlocks) * real(s.aggregateColumns) * 4 / 262144;
    return made + used + (entries * std::max(1.0, std::sqrt(kept)) + tables + carried) / cacheBytesPerClock;
  }

  const Program &program;
  const CpuSchedule &s;
  double threads, heads, pairs, N, M, kept;
};

} // namespace

double compiler::predictedMs(const Program &program, const CpuSchedule &schedule, const ExpectedCall &call,
                             int threads) {
  return CostModel(program, schedule, call, threads).milliseconds();
}
