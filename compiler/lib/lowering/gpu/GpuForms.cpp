// Forms of stages, named and refused.
#include "RowRemark.h"
#include "ScheduleRules.h"

#include "tercet/compiler/cuda/GpuLowering.h"

#include <fmt/ranges.h>

namespace tercet::compiler {

std::string overBudget(int64_t registers, int64_t mostRegisters, int64_t sharedBytes, int64_t mostSharedBytes) {
  if (registers > mostRegisters)
    return fmt::format("registers: {} of {}", registers, mostRegisters);
  if (sharedBytes > mostSharedBytes)
    return fmt::format("shared-memory: {} of {} bytes", sharedBytes, mostSharedBytes);
  return "";
}

static Status preferForm(std::vector<GpuStage> &stages, const std::string &kernel, const std::string &text) {
  auto stage = llvm::find_if(stages, [&](const GpuStage &each) { return each.kernel == kernel; });
  if (stage == stages.end()) {
    std::vector<std::string> choices;
    for (const GpuStage &each : stages)
      if (each.forms.size() > 1)
        choices.push_back(each.kernel);
    return Status::make(Code::invalidArgument,
                        "there is a schedule for '{}', which is no kernel of this program; kernels with several are {}",
                        kernel, fmt::join(choices, ", "));
  }
  std::vector<GpuForm> &forms = stage->forms;
  auto form = llvm::find_if(forms, [&](const GpuForm &each) {
    return each.schedule == text || each.schedule == "#tkern.gpu_schedule" + text;
  });
  if (form == forms.end()) {
    std::vector<std::string> texts;
    for (const GpuForm &each : forms)
      texts.push_back(each.schedule);
    return Status::make(Code::invalidArgument, "kernel {} has no schedule '{}' on this target; it has {}", kernel, text,
                        fmt::join(texts, "; "));
  }
  std::rotate(forms.begin(), form, form + 1);
  return {};
}

Status preferForms(std::vector<GpuStage> &stages, const Problem &problem, std::vector<std::string> &remarks) {
  std::vector<std::string> named;
  for (const auto &[kernel, text] : problem.schedules) {
    Status status = preferForm(stages, kernel, text);
    if (llvm::is_contained(named, kernel))
      status = Status::make(Code::invalidArgument, "there are two schedules for kernel {}", kernel);
    named.push_back(kernel);
    if (status.ok())
      continue;
    if (problem.scheduleSource.kind != "database")
      return status;
    remarks.push_back(passedOverRow(problem, status));
  }
  return {};
}

} // namespace tercet::compiler
