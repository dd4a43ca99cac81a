// A session whose only device is a simulated one; a kernel per spec and problem, kept for the whole test run.
#include "gpu/SimulatedBackend.h"

#include "tercet/Jit.h"
#include "tercet/rt/StagedCall.h"

#include <fmt/format.h>

namespace tercet::test {

SimulatedBackend::SimulatedBackend(std::string target, rt::SimulationOptions options) : target(std::move(target)) {
  auto open = [options](const std::string &name) { return rt::openSimulatedGpu(name, options); };
  auto made = Session::create({.threads = 1, .useCache = false, .openDevice = open}, makeCompiler());
  session = made.ok() ? std::move(*made) : nullptr;
}

Result<std::shared_ptr<Kernel>> SimulatedBackend::kernelFor(const Spec &spec, const Problem &given) {
  Problem problem = given;
  problem.target = target;
  std::string key = fmt::format("{} {} {} {} {}", spec.text, problem.headDim, problem.valueDim,
                                dtypeName(problem.dtype), static_cast<int>(problem.direction));
  for (const auto &[name, value] : spec.settings)
    key += fmt::format(" {}={}", name, value);
  for (const auto &[name, schedule] : problem.schedules)
    key += fmt::format(" {}: {}", name, schedule);
  std::shared_ptr<Kernel> &kernel = kernels[key];
  if (!kernel) {
    TERCET_TRY(kernel, session->compile(spec, problem));
  }
  return kernel;
}

Status SimulatedBackend::run(const Spec &spec, const Problem &problem, const Arguments &inputs,
                             const Arguments &outputs, int) {
  TERCET_TRY(std::shared_ptr<Kernel> kernel, kernelFor(spec, problem));
  return launch(*kernel, inputs, outputs);
}

Status SimulatedBackend::run(Artifact artifact, const Arguments &inputs, const Arguments &outputs) {
  TERCET_TRY(std::shared_ptr<Kernel> kernel, session->load(std::move(artifact), target));
  return launch(*kernel, inputs, outputs);
}

Status SimulatedBackend::launch(const Kernel &kernel, const Arguments &inputs, const Arguments &outputs) {
  TERCET_TRY(std::shared_ptr<rt::GpuDevice> device, session->device(target));
  Arguments arguments = inputs;
  std::vector<std::string> names;
  for (const auto &[name, tensor] : outputs.tensors) { // `classes` is an input and an output
    names.push_back(name == "classes" ? "classes_out" : name);
    arguments.tensors.emplace_back(names.back(), tensor);
  }
  TERCET_TRY(rt::StagedCall call, rt::StagedCall::upload(device, arguments));
  TERCET_TRY(size_t bytes, kernel.workspaceBytes(call.arguments()));
  rt::GpuMemory workspace;
  if (bytes > 0) {
    TERCET_TRY(workspace, rt::GpuMemory::allocate(device, bytes));
  }
  TERCET_RETURN_IF_ERROR(kernel.launch(call.arguments(), workspace.data(), bytes));
  return call.download(names);
}

std::map<std::string, double> SimulatedBackend::takeCounts(const std::string &kernel) {
  auto device = session->device(target);
  std::map<std::string, double> result;
  for (const rt::GpuKernelCounts &counts : (*device)->counts())
    if (counts.kernel == kernel)
      result.insert(counts.counts.begin(), counts.counts.end());
  (*device)->resetCounts();
  return result;
}

} // namespace tercet::test
