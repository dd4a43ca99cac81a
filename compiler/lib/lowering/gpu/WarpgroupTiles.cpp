// What warpgroups do not take, each with its reason.
#include "WarpgroupTiles.h"

namespace tercet::compiler {

std::string whyNotWarpgroups(const GpuProgram &program, const AttendStage &stage, const TileBlocks &blocks) {
  if (!stage.exact)
    return "there is no sparse branch, whose products warpgroups are for";
  if (program.order)
    return "clipped tiles of a token order are masked by warps";
  if (stage.means)
    return "block means are read by warps";
  if (stage.pools)
    return "pools are read by warps";
  if (stage.listed && program.isFine())
    return fmt::format("query blocks of {} share lists, whose rows warps tell apart", program.blockQ);
  if (stage.score || stage.mask)
    return "masks and score regions are computed by warps";
  if (program.isWide())
    return "warpgroup products take bf16 and f16, not f32";
  if (program.headDim % 64 != 0 || program.valueDim % 64 != 0)
    return fmt::format(
        "head dimensions {} and {} are not multiples of 64, which warpgroup products and box copies take",
        program.headDim, program.valueDim);
  if (blocks.rows % 128 != 0 && blocks.rows != 64)
    return fmt::format("{} blocks of {} rows are neither 64 nor multiples of 128, the rows of one warpgroup and of two",
                       blocks.rowsOf.str(), blocks.rows);
  if (blocks.cols % 64 != 0)
    return fmt::format("{0} blocks of {1} are not multiples of 64, the fewest {2} of a warpgroup's step",
                       blocks.colsOf.str(), blocks.cols, blocks.colsOf == "key" ? "keys" : "queries");
  return {};
}

} // namespace tercet::compiler
