// The stages of a GPU program over a group of (batch, KV head) pairs:
//
//   prologue   tile_q, tile_k, tile_v    under a token order: rows in the order of tiles, and how many a tile has; once per call
//   weight     pack_weight               W, b as operands; once per call
//   prologue   <table>_ranges<axis>      least and largest entries of blocks of tables that a mask reads; once per call
//   prologue   prologue                  block means of K (and V), h_j and z_j: one pass over K and V
//   select     block_rules               what masks and block sets say of pairs of blocks
//              SelectStages.h            classes of blocks: lists of critical blocks, of query blocks and, where attend takes
//                                        them, of super rows; bits of the linear set
//   aggregate  aggregate                 H_i, Z_i of query blocks, or of all of a pair
//   prologue   <attend>_k, _v, _q        pools of keys, values and queries for a stage that attends to pools
//   attend     attend                    O = O_s + O_l W^T + b, LSE; of several stages all but the last are numbered
//   attend     untile                    under a token order: both to where the queries are
//
// A backward has others (GradientStages.h).
//
// W is folded into V inside h_j, so that O_l W^T is what the last stage adds.
#include "GpuRanges.h"
#include "GradientStages.h"
#include "PoolStages.h"
#include "SelectStages.h"
#include "StageKernel.h"
#include "TileStages.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

class StageList {
public:
  StageList(MLIRContext &context, const GpuProgram &program, const CudaTarget &target)
      : context(context), program(program), target(target) {}

  std::vector<GpuStage> build(std::vector<std::string> &remarks) {
    if (program.direction == Direction::backward) {
      addGradientStages(stages, context, program, target, remarks);
      return std::move(stages);
    }
    std::vector<std::vector<RankedSchedule>> schedules;
    bool superRows = false;
    for (const AttendStage &stage : program.attends) {
      schedules.push_back(attendSchedules(context, program, stage, target, remarks));
      superRows |= llvm::any_of(schedules.back(), [](const RankedSchedule &ranked) { return ranked.superRows; });
    }
    using Lower = OwningOpRef<ModuleOp> (*)(MLIRContext &, const GpuProgram &);
    auto simple = [this](Lower lower) {
      return [&context = context, &program = program, lower] { return lower(context, program); };
    };
    if (program.order)
      addTileStages(stages, context, program);
    if (!program.weight.empty())
      add("pack_weight", "prologue", {program.paddedValueDim(), 1, 1}, "row per block", simple(lowerWeight)).once =
          true;
    addRangeStages(stages, context, program);
    if (program.linear || program.means() || (program.scoresMeans() && !program.ranksAhead()))
      addPrologue();
    if (program.classified())
      addSelectStages(stages, context, program, superRows);
    if (program.linear)
      stages.push_back(makeSums("aggregate", program, TM, GR, TN, simple(lowerAggregate)));
    for (auto [stage, ranked] : llvm::zip(program.attends, schedules)) {
      addPoolStages(stages, context, program, stage);
      addAttend(stage, ranked);
    }
    if (program.order)
      addUntileStage(stages, context, program);
    return std::move(stages);
  }

private:
  GpuStage &add(std::string kernel, std::string stage, std::array<Expr, 3> grid, std::string schedule,
                std::function<OwningOpRef<ModuleOp>()> lower) {
    return stages.emplace_back(
        makeStage(std::move(kernel), std::move(stage), std::move(grid), std::move(schedule), std::move(lower)));
  }

  void addPrologue() {
    StateShape shape(program, target);
    Expr chunks = program.linear ? program.paddedValueDim() / shape.valueCols : 1;
    Expr blocks = ceildiv(program.keys(), program.stateBlock());
    std::string schedule = program.linear
                               ? fmt::format("{} value columns, {} tokens at a time", shape.valueCols, shape.partTokens)
                               : "key block per block";
    GpuStage &stage =
        add("prologue", "prologue", {blocks, sym("G"), chunks}, schedule,
            [&context = context, &program = program, shape] { return lowerPrologue(context, program, shape); });
    if (program.linear)
      stage.flops = sym("G") * sym("M") * (2 * program.headDim * program.valueDim);
    if (!program.weight.empty())
      stage.flops = stage.flops + sym("G") * sym("M") * (2 * program.valueDim * program.valueDim);
  }

  void addAttend(const AttendStage &attend, const std::vector<RankedSchedule> &schedules) {
    GpuStage stage;
    stage.kernel = attend.name;
    stage.stage = "attend";
    for (const RankedSchedule &ranked : schedules) {
      tkern::GpuScheduleAttr schedule = ranked.schedule;
      Expr rows = attend.rows(program.rows());
      stage.forms.push_back({textOf(schedule),
                             {ceildiv(rows, schedule.getBlockRows()), GR, 1},
                             [&context = context, &program = program, &attend, schedule] {
                               return lowerAttend(context, program, attend, schedule);
                             }});
    }
    Expr exact = attend.exactFlops(program.rows(), program.keys(), program.blockQ, program.blockK, program.headDim,
                                   program.valueDim);
    Expr linear = attend.linear ? GR * sym("N") * (2 * program.headDim * program.valueDim) : Expr(0);
    stage.flops = exact + linear;
    stages.push_back(std::move(stage));
  }

  MLIRContext &context;
  const GpuProgram &program;
  const CudaTarget &target;
  std::vector<GpuStage> stages;
  Expr GR = sym("G") * sym("R");
  Expr TM = program.queryBlocks(), TN = program.keyBlocks();
};

} // namespace

std::vector<GpuStage> gpuStages(MLIRContext &context, const GpuProgram &program, const CudaTarget &target,
                                std::vector<std::string> &remarks) {
  return StageList(context, program, target).build(remarks);
}

} // namespace tercet::compiler
