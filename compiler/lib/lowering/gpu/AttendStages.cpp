#include "AttendStages.h"

#include "MeanStages.h"
#include "PoolStages.h"
#include "StageKernel.h"

using namespace mlir;

namespace tercet::compiler {

AttendForms::AttendForms(MLIRContext &context, const GpuProgram &program, const CudaTarget &target,
                         std::vector<std::string> &remarks) {
  for (const AttendStage &stage : program.attends) {
    if (stage.ofMeans) {
      schedules.emplace_back();
      pruned.emplace_back();
      continue;
    }
    schedules.push_back(attendSchedules(context, program, stage, target, remarks, &pruned.emplace_back()));
    superRows |= llvm::any_of(schedules.back(), [](const RankedSchedule &ranked) { return ranked.superRows; });
  }
}

static GpuStage makeAttend(MLIRContext &context, const GpuProgram &program, const AttendStage &attend,
                           const std::vector<RankedSchedule> &schedules) {
  GpuStage stage;
  stage.kernel = attend.name;
  stage.stage = "attend";
  Expr heads = sym("G") * sym("R"), rows = attend.rows(program.rows());
  for (const RankedSchedule &ranked : schedules) {
    tkern::GpuScheduleAttr schedule = ranked.schedule;
    stage.forms.push_back(
        {textOf(schedule),
         {ceildiv(rows, schedule.getBlockRows()), heads, 1},
         [&context, &program, &attend, schedule] { return lowerAttend(context, program, attend, schedule); },
         schedule,
         ranked.sharedBytes,
         ranked.registers});
  }
  Expr keys = attend.takesAll() ? sym("M") : program.keys();
  Expr exact =
      attend.exactFlops(program.rows(), keys, program.blockQ, program.blockK, program.headDim, program.valueDim);
  Expr linear = attend.linear ? heads * sym("N") * (2 * program.headDim * program.valueDim) : Expr(0);
  stage.flops = exact + linear;
  return stage;
}

void addAttendStages(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program,
                     const AttendForms &forms) {
  for (auto [stage, schedules, pruned] : llvm::zip(program.attends, forms.schedules, forms.pruned)) {
    if (stage.ofMeans) {
      addMeanStages(stages, context, program, stage);
      continue;
    }
    addPoolStages(stages, context, program, stage);
    stages.push_back(makeAttend(context, program, stage, schedules));
    stages.back().pruned = pruned;
  }
}

} // namespace tercet::compiler
