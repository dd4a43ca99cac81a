// CpuSchedule: every size that decides how a program runs on a CPU. Chosen in one place, written on the kernels as an
// attribute, derived from by everything else.
#pragma once

#include "Program.h"

#include "tercet/Cpu.h"

#include <string_view>

namespace tercet::compiler {

/// Queries or keys in the backward, whose passes have them as rows and as columns.
struct GradientSide {
  int64_t superRow = 240; ///< rows of an item
  int64_t block = 60;     ///< rows of it that visit a tile together, or not
  int64_t tile = 64;      ///< columns visited at a time
  int64_t packed = 64;    ///< columns packed at a time: a classification block, or a tile
};

struct CpuSchedule {
  CpuLevel level = CpuLevel::portable;
  int64_t lanes = 4;        ///< f32 per vector register
  int64_t rowTile = 4;      ///< query rows per score tile: 4 x 64 is 16 accumulators of 16 lanes
  int64_t keyTile = 64;     ///< keys per score tile; divides the classification block
  bool inPanels = false;    ///< score tiles do not fit into registers: they go through memory, panel by panel
  int64_t keyPanel = 64;    ///< keys of a tile that lie together; in panels, the columns of a register block
  int64_t valuePanel = 64;  ///< value columns of a tile that lie together, the same
  int64_t superRow = 256;   ///< query rows per work item of attend: K and V stream from L2 and L3 once for all of them
  int64_t valueSlice = 32;  ///< value columns per slice of the linear state: bounds the state's memory
  int64_t featureChunk = 8; ///< feature rows of the state that lie together: whole register blocks with the slice
  int64_t featureRows = 8;  ///< query rows times state at a time: rows x slice, whole register blocks
  int64_t featureDim = 0;   ///< headDim rounded up to whole chunks and registers
  int64_t valueDim = 0;     ///< value dim rounded up to whole slices
  int64_t subsetBlocks = 4; ///< key blocks whose subsets are summed ahead, where rows are many
  int64_t segmentBlocks = 256;      ///< key blocks with tables at a time: 64 x 2^4 rows of 32 floats are 128 KiB of L2
  int64_t aggregateColumns = 32;    ///< columns of a state summed at a time
  int64_t aggregateChains = 4;      ///< sums of such columns side by side: their vectors fill half the registers
  int64_t blockQ = 64, blockK = 64; ///< the classification blocks, or the tiles of a dense program
  GradientSide queries, keys;
  GradientSide means{48, 48, 64, 64}; ///< block means as keys

  /// Rows of a gradient that are stored at a time: divides every item's rows, and rows of sums.
  static constexpr int64_t storedGradientRows = 4;

  /// Rows of an item that visit a tile together: a classification block, or several small ones, whose rows take it or do not.
  int64_t visitRows = 64;
  int64_t visitsPerRow() const { return superRow / visitRows; }
  int64_t blocksPerVisit() const { return visitRows / blockQ; }
  /// Query blocks of an item of block_rules, which are bounded together first.
  int64_t blocksPerRuleItem() const { return blockQ < 16 ? 64 / blockQ : 1; }
  int64_t slices() const { return valueDim / valueSlice; }
  int64_t chunks() const { return featureDim / featureChunk; }
  /// A width in whole registers of any level.
  static int64_t padded(int64_t width) { return (width + 15) / 16 * 16; }
  /// Columns that lie together of a matrix which the backward multiplies from the right.
  int64_t plainPanel(int64_t width) const { return inPanels ? valuePanel : width % 64 == 0 ? 64 : width; }
};

/// The analytic default.
CpuSchedule chooseCpuSchedule(const Program &program, CpuLevel level);

/// Sizes that follow from the knobs (CpuKnobs.h).
void deriveSizes(const Program &program, CpuSchedule &schedule);

/// The knobs that the program's kernels depend on, with their values: "cpu v4 super_row=256 key_tile=64 ..".
std::string textOf(const Program &program, const CpuSchedule &schedule);

/// The default with the knobs that a text names: "[cpu LEVEL] KNOB=VALUE ..". invalidArgument, with what is legal, where it is
/// malformed, for another level, or names a knob or a value that the program does not have.
Result<CpuSchedule> parseCpuSchedule(const Program &program, CpuLevel level, std::string_view text);

} // namespace tercet::compiler
