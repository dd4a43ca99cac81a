// Forms of stages, named and refused.
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

Status preferForms(std::vector<GpuStage> &stages, const std::vector<std::pair<std::string, std::string>> &schedules) {
  for (const auto &[kernel, text] : schedules) {
    auto stage = llvm::find_if(stages, [&](const GpuStage &each) { return each.kernel == kernel; });
    if (stage == stages.end()) {
      std::vector<std::string> choices;
      for (const GpuStage &each : stages)
        if (each.forms.size() > 1)
          choices.push_back(each.kernel);
      return Status::make(
          Code::invalidArgument,
          "there is a schedule for '{}', which is no kernel of this program; kernels with several are {}", kernel,
          fmt::join(choices, ", "));
    }
    std::vector<GpuForm> &forms = stage->forms;
    auto form = llvm::find_if(forms, [&](const GpuForm &each) {
      return each.schedule == text || each.schedule == "#tkern.gpu_schedule" + text;
    });
    if (form == forms.end()) {
      std::vector<std::string> texts;
      for (const GpuForm &each : forms)
        texts.push_back(each.schedule);
      return Status::make(Code::invalidArgument, "kernel {} has no schedule '{}' on this target; it has {}", kernel,
                          text, fmt::join(texts, "; "));
    }
    std::rotate(forms.begin(), form, form + 1);
  }
  return {};
}

} // namespace tercet::compiler
