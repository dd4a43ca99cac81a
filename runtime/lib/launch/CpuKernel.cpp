// The CPU implementation of Kernel: an immutable program over functions of this process. Launches share nothing but the
// worker threads.
#include "tercet/rt/CpuKernel.h"

#include "Executor.h"

#include "tercet/Cpu.h"
#include "tercet/PlanCheck.h"
#include "tercet/rt/CpuModule.h"

#include <fmt/ranges.h>

namespace tercet::rt {
namespace {

class CpuKernel : public Kernel {
public:
  CpuKernel(std::shared_ptr<const Artifact> artifact, size_t module, Program program,
            std::shared_ptr<const Workers> workers, std::shared_ptr<const void> keepAlive)
      : shared(std::move(artifact)), chosen(shared->modules[module]), program(std::move(program)),
        workers(std::move(workers)), keepAlive(std::move(keepAlive)) {}

  const Artifact &artifact() const override { return *shared; }
  const TargetModule &module() const override { return chosen; }

  Result<size_t> workspaceBytes(const Arguments &arguments) const override {
    TERCET_TRY(Frame frame,
               Frame::build(*shared, chosen.plan, program, arguments, {BindMode::shapesOnly, workers->threads()}));
    return frame.workspaceBytes;
  }

  Status launch(const Arguments &arguments, void *workspace, size_t workspaceBytes,
                LaunchReport *report) const override {
    TERCET_TRY(Frame frame,
               Frame::build(*shared, chosen.plan, program, arguments, {BindMode::forLaunch, workers->threads()}));
    if (workspaceBytes < frame.workspaceBytes)
      return Status::make(Code::invalidArgument, "the workspace has {} bytes; these tensors need {}", workspaceBytes,
                          frame.workspaceBytes);
    if (frame.workspaceBytes > 0 && (!workspace || reinterpret_cast<uintptr_t>(workspace) % workspaceAlignment != 0))
      return Status::make(Code::invalidArgument, "the workspace has the address {}; it must be a multiple of {}",
                          workspace, workspaceAlignment);
    return execute(program, frame, *workers, static_cast<char *>(workspace), report);
  }

  Status enqueue(const Arguments &arguments, void *workspace, size_t workspaceBytes, void *) const override {
    return launch(arguments, workspace, workspaceBytes, nullptr);
  }

private:
  std::shared_ptr<const Artifact> shared;
  const TargetModule &chosen;
  Program program;
  std::shared_ptr<const Workers> workers;
  std::shared_ptr<const void> keepAlive;
};

/// The level that a target asks for: the highest this machine runs for "cpu".
Result<CpuLevel> highestLevel(const std::string &target) {
  CpuLevel machine = detectCpuLevel();
  if (target == "cpu")
    return machine;
  std::optional<CpuLevel> asked =
      target.starts_with("cpu:") ? parseCpuLevel(std::string_view(target).substr(4)) : std::nullopt;
  if (!asked)
    return Status::make(Code::unsupportedTarget,
                        "this kernel cannot run on '{}'; CPU targets are cpu, cpu:v4, cpu:v3 and cpu:portable", target);
  if (*asked > machine)
    return Status::make(Code::unsupportedTarget, "this processor cannot run '{}'; its highest level is cpu:{}", target,
                        cpuLevelName(machine));
  return *asked;
}

/// The best module up to `highest`; for a target with a level only that level.
const TargetModule *chooseModule(const Artifact &artifact, CpuLevel highest, bool exact) {
  for (CpuLevel level : {CpuLevel::v4, CpuLevel::v3, CpuLevel::portable}) {
    if (level > highest || (exact && level != highest))
      continue;
    for (const TargetModule &module : artifact.modules)
      if (module.target == fmt::format("cpu:{}", cpuLevelName(level)))
        return &module;
  }
  return nullptr;
}

} // namespace

Result<std::shared_ptr<Kernel>> makeCpuKernel(std::shared_ptr<const Artifact> artifact, const KernelTable &functions,
                                              std::shared_ptr<const Workers> workers,
                                              std::shared_ptr<const void> keepAlive, size_t module) {
  const Plan &plan = artifact->modules[module].plan;
  TERCET_RETURN_IF_ERROR(checkPlan(plan));
  TERCET_TRY(Program program, Program::build(plan, functions));
  return std::shared_ptr<Kernel>(std::make_shared<CpuKernel>(std::move(artifact), module, std::move(program),
                                                             std::move(workers), std::move(keepAlive)));
}

Result<std::shared_ptr<Kernel>> loadCpuKernel(std::shared_ptr<const Artifact> artifact, const std::string &target,
                                              std::shared_ptr<const Workers> workers) {
  TERCET_TRY(CpuLevel highest, highestLevel(target));
  const TargetModule *chosen = chooseModule(*artifact, highest, target != "cpu");
  if (!chosen) {
    std::vector<std::string> targets;
    for (const TargetModule &module : artifact->modules)
      targets.push_back(module.target);
    return Status::make(Code::unsupportedTarget,
                        "the artifact has no code that '{}' can run here (level {}); it has: {}", target,
                        cpuLevelName(highest), targets.empty() ? "none" : fmt::format("{}", fmt::join(targets, ", ")));
  }
  TERCET_TRY(std::shared_ptr<CpuModule> module, CpuModule::load(chosen->code));
  KernelTable functions;
  for (const KernelInfo &kernel : chosen->kernels) {
    CpuFunction function = module->find(kernel.name);
    if (!function)
      return Status::make(Code::compileFailed, "module {} promises the kernel '{}' but does not define it",
                          chosen->target, kernel.name);
    functions[kernel.name] = {function, kernel.scratchBytes};
  }
  size_t index = static_cast<size_t>(chosen - artifact->modules.data());
  return makeCpuKernel(std::move(artifact), functions, std::move(workers), std::move(module), index);
}

} // namespace tercet::rt
