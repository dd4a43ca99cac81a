// Schedules of gradient kernels: enumerate, prune by named rules, rank. Warpgroups come before warps where the target has them.
#include "GradientKernel.h"
#include "ScheduleRules.h"
#include "StageKernel.h"
#include "TableStages.h"

using namespace mlir;

namespace tercet::compiler {

TileBlocks tileBlocksOf(const GpuProgram &program, const GradientPass &pass) {
  bool listed = pass.listed();
  if (pass.ofKeys) // columns of a step over means are of one query block
    return {listed ? program.blockK : 0, listed || pass.ofMeans ? program.blockQ : 0, "key", "query"};
  return {listed ? program.blockQ : 0, listed ? program.blockK : 0, "query", "key"};
}

bool hasUnequalColumns(const GpuProgram &program, const GradientPass &pass) {
  return pass.ofKeys && !pass.ofMeans && (pass.listed() || program.listsSteps(*pass.forward));
}

namespace {

/// Registers of a thread beside tiles: addresses, operands on their way.
constexpr int64_t besideTiles = 44, registersOfWarp = 255;
/// The same of a consumer (measured: 24 on lists at head dimension 128).
constexpr int64_t besideTilesOfGroup = 24;
/// Registers of a producer and of two consumers each, which fill the 504 of three warpgroups. A producer that walks the lists of several
/// heads takes more than 24.
constexpr std::pair<int64_t, int64_t> registersOfRoles[] = {{40, 232}, {24, 240}};

class GradientSchedules {
public:
  GradientSchedules(MLIRContext &context, const GpuProgram &program, const GradientKernel &kernel,
                    const CudaTarget &target, std::vector<std::string> *pruned)
      : context(context), program(program), kernel(kernel), target(target), pruned(pruned),
        blocks(tileBlocksOf(program, *kernel.pass)), split(hasUnequalColumns(program, *kernel.pass) ? longColumns : 0) {
  }

  std::vector<tkern::GpuScheduleAttr> list(std::vector<std::string> &remarks) {
    if (target.hasWarpgroups) {
      std::string reason = program.inBranches() ? "gradients of branches are summed by warps"
                                                : whyNotWarpgroups(program, *kernel.pass->forward, blocks);
      if (reason.empty()) {
        addWarpgroups();
        if (schedules.empty())
          reason = fmt::format("accumulators of head dimensions {} and {} leave no registers for tiles of pairs",
                               program.headDim, program.valueDim);
      }
      if (!reason.empty())
        remarks.push_back(kernel.name + ": " + reason + ": using warps");
    }
    addWarps();
    return std::move(schedules);
  }

private:
  // More slots let copies run further ahead: one block of threads has the processor.
  void addWarpgroups() {
    for (int64_t cols : {128, 64})
      for (int64_t slots : {4, 2, 1})
        for (auto [producer, consumer] : registersOfRoles)
          if (blocks.cols % cols == 0)
            add(tkern::WorkerKind::Warpgroup, /*workers=*/2, cols, slots, producer, consumer);
  }

  // More warps share tiles of columns, more columns amortise a step's barriers: both as far as registers and shared memory go.
  void addWarps() {
    for (int64_t warps : {4, 5, 3, 2, 1})
      for (int64_t cols : {64, 48, 32, 16})
        if (!(kernel.pass->ofTable && warps > tableCopies) && blocks.rows % (16 * warps) == 0 &&
            blocks.cols % cols == 0)
          add(tkern::WorkerKind::Warp, warps, cols, /*slots=*/2, 0, 0);
  }

  void add(tkern::WorkerKind worker, int64_t workers, int64_t cols, int64_t slots, int64_t producerRegisters,
           int64_t consumerRegisters) {
    auto schedule = tkern::GpuScheduleAttr::get(&context, worker, workers, cols, slots, tkern::Space::Shared,
                                                producerRegisters, consumerRegisters, split);
    GradientLayout layout(context, program, kernel, schedule);
    int64_t registers =
        worker == tkern::WorkerKind::Warp ? registersOfWarp - besideTiles : consumerRegisters - besideTilesOfGroup;
    std::string broken = overBudget(layout.tileRegisters, registers, layout.sharedBytes, target.sharedBytes);
    if (broken.empty())
      schedules.push_back(schedule);
    else if (pruned)
      pruned->push_back(textOf(schedule) + ": " + broken);
  }

  MLIRContext &context;
  const GpuProgram &program;
  const GradientKernel &kernel;
  const CudaTarget &target;
  std::vector<std::string> *pruned;
  TileBlocks blocks;
  int64_t split;
  std::vector<tkern::GpuScheduleAttr> schedules;
};

} // namespace

std::vector<tkern::GpuScheduleAttr> gradientSchedules(MLIRContext &context, const GpuProgram &program,
                                                      const GradientKernel &kernel, const CudaTarget &target,
                                                      std::vector<std::string> &remarks,
                                                      std::vector<std::string> *pruned) {
  return GradientSchedules(context, program, kernel, target, pruned).list(remarks);
}

GpuForm gradientForm(MLIRContext &context, const GpuProgram &program, const GradientKernel &kernel,
                     tkern::GpuScheduleAttr schedule, const std::array<Expr, 3> &grid) {
  GradientLayout layout(context, program, kernel, schedule);
  bool isWarp = schedule.getWorker() == tkern::WorkerKind::Warp;
  return {textOf(schedule),
          grid,
          [&context, &program, kernel, schedule] { return lowerGradient(context, program, kernel, schedule); },
          schedule,
          layout.sharedBytes,
          layout.tileRegisters + (isWarp ? besideTiles : besideTilesOfGroup)};
}

} // namespace tercet::compiler
