// What makes modules fit their plans: one signature, every kernel there, and the kinds of nodes and code that their target
// executes.
#include "tercet/PlanCheck.h"
#include "tercet/SavedOutputs.h"

#include <algorithm>

namespace tercet {
namespace {

template <typename... Args> Status fault(fmt::format_string<Args...> format, Args &&...args) {
  return Status::make(Code::invalidArgument, "the artifact is malformed: {}",
                      fmt::format(format, std::forward<Args>(args)...));
}

class ModuleChecker {
public:
  explicit ModuleChecker(const TargetModule &module) : module(module) {}

  Status run() {
    for (const KernelInfo &kernel : module.kernels)
      TERCET_RETURN_IF_ERROR(module.isGpu() ? gpuKernel(kernel) : cpuKernel(kernel));
    if (module.target.empty() || module.code.empty() != module.isGpu())
      return fault("a module without target, or with the wrong kind of code ('{}')", module.target);
    return nodes(module.plan.nodes);
  }

private:
  Status cpuKernel(const KernelInfo &kernel) {
    if (kernel.name.empty() || kernel.scratchBytes < 0)
      return fault("kernel '{}' of {} asks for {} bytes of scratch", kernel.name, module.target, kernel.scratchBytes);
    return {};
  }

  Status gpuKernel(const KernelInfo &kernel) {
    constexpr int64_t warp = 32, mostThreads = 1024, largestCluster = 8;
    const GpuKernelInfo &gpu = kernel.gpu;
    if (kernel.name.empty() || gpu.threads < 1 || gpu.threads > mostThreads || gpu.threads % warp != 0)
      return fault("kernel '{}' of {} has blocks of {} threads; legal are multiples of {} up to {}", kernel.name,
                   module.target, gpu.threads, warp, mostThreads);
    if (gpu.clusterSize < 1 || gpu.clusterSize > largestCluster || gpu.dynamicSharedBytes < 0 ||
        gpu.staticSharedBytes < 0)
      return fault("kernel '{}' of {} asks for clusters of {} and {} + {} bytes of shared memory", kernel.name,
                   module.target, gpu.clusterSize, gpu.staticSharedBytes, gpu.dynamicSharedBytes);
    if (gpu.cubin.empty() && gpu.ptx.empty())
      return fault("kernel '{}' of {} has neither cubin nor PTX", kernel.name, module.target);
    return {};
  }

  bool has(const std::string &name) const {
    return std::any_of(module.kernels.begin(), module.kernels.end(),
                       [&](const KernelInfo &kernel) { return kernel.name == name; });
  }

  Status nodes(const std::vector<PlanNode> &list) {
    for (const PlanNode &node : list) {
      if (module.isGpu() && node.kind == PlanNode::Kind::builtin)
        return fault("the plan of {} calls the builtin {}, which runs on the CPU", module.target, node.callee);
      std::vector<std::string> needed = node.kernels;
      if (node.kind == PlanNode::Kind::kernel)
        needed.push_back(node.callee);
      for (const std::string &name : needed)
        if (!has(name))
          return fault("module {} lacks the kernel {}", module.target, name);
      for (const PlanSlot &slot : node.slots)
        if (!module.isGpu() && slot.kind == PlanSlot::Kind::tensorMap)
          return fault("the plan of {} has a tensor map, which is for GPUs", module.target);
      TERCET_RETURN_IF_ERROR(nodes(node.body));
    }
    return {};
  }

  const TargetModule &module;
};

Status checkModules(const std::vector<TargetModule> &modules) {
  for (const TargetModule &module : modules) {
    TERCET_RETURN_IF_ERROR(checkPlan(module.plan));
    if (!(module.plan == static_cast<const PlanSignature &>(modules.front().plan)))
      return fault("modules {} and {} take different arguments", modules.front().target, module.target);
    TERCET_RETURN_IF_ERROR(ModuleChecker(module).run());
  }
  return {};
}

bool isBackward(const PlanSignature &signature) { return signature.find(PlanArgument::Role::outputGradient); }

/// The second takes nothing that neither the first nor the caller of both has.
Status checkDirections(const PlanSignature &forward, const PlanSignature &backward) {
  if (isBackward(forward) || !isBackward(backward))
    return fault("it holds two directions, but not a forward and then a backward");
  using Role = PlanArgument::Role;
  for (const PlanArgument &argument : backward.arguments)
    if (bool isSaved = argument.role == Role::savedOutput || argument.role == Role::savedLse ||
                       argument.role == Role::savedLseRest || argument.role == Role::classes;
        isSaved && !savedOutput(forward, argument))
      return fault("the backward takes {}, which the forward does not give", argument.name);
  return {};
}

} // namespace

Status checkArtifact(const Artifact &artifact) {
  if (artifact.modules.empty())
    return fault("it has no module");
  if (artifact.headDim < 1 || artifact.valueDim < 1)
    return fault("head dimensions {} and {}; they must be positive", artifact.headDim, artifact.valueDim);
  TERCET_RETURN_IF_ERROR(checkModules(artifact.modules));
  if (artifact.backwardModules.empty())
    return {};
  TERCET_RETURN_IF_ERROR(checkModules(artifact.backwardModules));
  return checkDirections(artifact.signature(), artifact.backwardModules.front().plan);
}

} // namespace tercet
