// See the header.
#include "gpu/EditedPlan.h"

#include "tercet/compiler/cuda/Nvrtc.h"

#include <catch2/catch.hpp>

#include <algorithm>

namespace tercet::test {

rt::SimulationOptions bounded(rt::SimulationOptions options, uint64_t maxInstructions) {
  options.launch.maxInstructions = maxInstructions;
  options.launch.checks.races = true;
  return options;
}

static SimulatedBackend backendOf(const std::string &target, rt::SimulationOptions options) {
  return SimulatedBackend("sim:" + target, bounded(std::move(options), 1000000));
}

EditedPlan::EditedPlan(std::string target, std::string kernel, std::vector<Case> given, ChangeInputs change)
    : target(std::move(target)), kernel(std::move(kernel)), cases(std::move(given)),
      change(change), backends{backendOf(this->target, {}), backendOf(this->target, rt::adversarialSimulation(3)),
                               backendOf(this->target, rt::adversarialSimulation(4))} {
  PreparedCase prepared = prepare(cases[0]);
  auto compiled = backends[0].kernelFor(prepared.spec, prepared.problem);
  INFO(compiled.status().message());
  REQUIRE(compiled.ok());
  artifact = (*compiled)->artifact();
}

std::string sourceOf(const Artifact &artifact, const std::string &kernel) {
  const std::vector<KernelInfo> &kernels = artifact.modules[0].kernels;
  auto found =
      std::find_if(kernels.begin(), kernels.end(), [&](const KernelInfo &info) { return info.name == kernel; });
  REQUIRE(found != kernels.end());
  return withDeviceLibrary(found->gpu.source);
}

Result<Artifact> withEditedKernel(Artifact artifact, const std::string &kernel, const std::string &text,
                                  const std::string &target) {
  auto output = (*compiler::Nvrtc::get())->compile(kernel, text, target, /*ptxOnly=*/true);
  if (!output.ok())
    return Status::make(Code::compileFailed, "does not compile: {}", output.status().message());
  for (KernelInfo &info : artifact.modules[0].kernels)
    if (info.name == kernel)
      info.gpu.ptx = output->ptx;
  return artifact;
}

std::string EditedPlan::source() { return sourceOf(artifact, kernel); }

std::string EditedPlan::findFault(const std::string &edited) {
  Result<Artifact> changed = withEditedKernel(artifact, kernel, edited, target);
  if (!changed.ok())
    return changed.status().message();
  for (SimulatedBackend &backend : backends)
    for (const Case &entry : cases) {
      PreparedCase prepared = prepare(entry);
      if (change)
        change(prepared);
      Status status = backend.run(*changed, prepared.arguments, prepared.outputs.arguments());
      if (!status.ok())
        return status.message();
      if (std::string fault = test::findFault(prepared, entry); !fault.empty())
        return fault;
    }
  return "";
}

void requireFound(const std::string &kernel, const std::vector<Case> &cases, const std::vector<KernelEdit> &edits,
                  ChangeInputs change) {
  EditedPlan plan("sm_80", kernel, cases, change);
  BugCount count = countBugs(plan.source(), edits, [&](const std::string &edited) { return plan.findFault(edited); });
  INFO(cases[0].spec << ", " << kernel);
  CHECK(count.bugs >= 4);
  CHECK(count.found == count.bugs);
}

} // namespace tercet::test
