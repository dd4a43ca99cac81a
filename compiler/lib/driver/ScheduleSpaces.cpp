// scheduleSpaces: the candidates of every kernel, as the lowerings enumerate them.
#include "CompileCpu.h"

#include "CpuSpace.h"

#include "tercet/ScheduleSpace.h"
#include "tercet/compiler/cuda/GpuLowering.h"

#include <thread>

using namespace tercet;
using namespace tercet::compiler;

namespace {

/// Where nothing is known: eight heads of 8192 tokens, and of classes 5 %.
ExpectedCall callOf(const Problem &problem, bool isClassified) {
  if (problem.expected && problem.expected->queries > 0)
    return *problem.expected;
  return {1, 8, 8, 8192, 8192, isClassified ? 0.05 : 1};
}

Result<std::vector<ScheduleSpace>> spacesOfCpu(const BoundSpec &bound, const Problem &problem) {
  TERCET_TRY(codegen::CpuTarget target, parseCpuTarget(problem.target));
  TERCET_TRY(Program program, readProgram(bound.spec, problem));
  int threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  CpuSpace found = cpuSpace(program, target.level, callOf(problem, program.classified()), threads);
  ScheduleSpace space{"cpu", {}, std::move(found.pruned)};
  for (const RankedCpuSchedule &each : found.candidates) {
    ScheduleCandidate candidate{textOf(program, each.schedule), {}, each.predicted};
    for (const CpuKnob &knob : cpuKnobs())
      if (knob.applies(program))
        candidate.knobs.emplace_back(knob.name, std::to_string(valueOf(each.schedule, knob)));
    space.candidates.push_back(std::move(candidate));
  }
  return std::vector<ScheduleSpace>{std::move(space)};
}

Result<std::vector<ScheduleSpace>> spacesOfGpu(const BoundSpec &bound, const Problem &problem) {
  ir::SpecOp spec = bound.spec;
  spec.getContext()->loadDialect<tkern::TkernDialect>();
  TERCET_TRY(CudaTarget target, parseCudaTarget(problem.target));
  TERCET_TRY(GpuProgram program, readGpuProgram(spec, problem));
  ExpectedCall call = callOf(problem, program.classified());
  std::vector<std::string> remarks;
  std::vector<ScheduleSpace> spaces;
  for (const GpuStage &stage : gpuStages(*spec.getContext(), program, target, remarks)) {
    if (stage.forms.size() < 2)
      continue;
    ScheduleSpace space{stage.kernel, {}, stage.pruned};
    for (const GpuForm &form : stage.forms)
      space.candidates.push_back(
          {form.schedule, knobsOf(form.attribute), predictedMs(program, stage, form, target, call)});
    std::stable_sort(space.candidates.begin() + 1, space.candidates.end(),
                     [](const ScheduleCandidate &a, const ScheduleCandidate &b) { return a.predicted < b.predicted; });
    spaces.push_back(std::move(space));
  }
  return spaces;
}

} // namespace

Result<std::vector<ScheduleSpace>> tercet::scheduleSpaces(const Spec &spec, const Problem &given) {
  Problem problem = forArchitecture(given);
  auto context = makeContext();
  TERCET_TRY(BoundSpec bound, loadSpec(*context, spec));
  TERCET_RETURN_IF_ERROR(checkProblem(problem));
  return isCudaTarget(problem.target) ? spacesOfGpu(bound, problem) : spacesOfCpu(bound, problem);
}
