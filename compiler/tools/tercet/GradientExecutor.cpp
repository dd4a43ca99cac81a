// What the forward saves for the backward lies in memory of the parts, where the caller does not ask for it.
#include "GradientExecutor.h"

#include "SavedTensors.h"

#include <algorithm>

namespace tercet::cli {
namespace {

void append(LaunchReport &to, const LaunchReport &from) {
  for (const auto &[stage, ms] : from.stageMs) {
    auto same = [&, &name = stage](const auto &known) { return known.first == name; };
    if (auto known = std::find_if(to.stageMs.begin(), to.stageMs.end(), same); known != to.stageMs.end())
      known->second += ms;
    else
      to.stageMs.emplace_back(stage, ms);
  }
  for (const auto &[stage, flops] : from.stageFlops)
    to.stageFlops[stage] += flops;
  to.totalMs += from.totalMs;
}

/// The tool's name for an output: the map of classes goes out under a name of its own.
std::string outputNameOf(const SavedTensor &saved) {
  return saved.role == PlanArgument::Role::classes ? "classes" : saved.given;
}

Status addOutput(CallPart &part, const std::string &name, DType dtype, const std::vector<int64_t> &shape) {
  if (part.outputs.arguments.find(name))
    return {};
  TERCET_TRY(compiler::StoredTensor tensor, compiler::StoredTensor::allocate(dtype, shape));
  part.outputs.arguments.tensors.emplace_back(name, tensor.view);
  part.outputs.stored.push_back(std::move(tensor));
  return {};
}

void eraseTensor(CallData &call, std::string_view name) {
  std::erase_if(call.arguments.tensors, [&](const auto &tensor) { return tensor.first == name; });
}

class GradientExecutor final : public Executor {
public:
  GradientExecutor(std::unique_ptr<Executor> forward, std::unique_ptr<Executor> backward)
      : forward(std::move(forward)), backward(std::move(backward)) {}

  Result<LaunchReport> launch(const CallData &call, const CallOutputs &outputs) override {
    TERCET_TRY(std::vector<CallPart> parts, partsOf(call, outputs));
    LaunchReport report;
    for (const CallPart &part : parts) {
      TERCET_TRY(LaunchReport own, part.executor->launch(part.call, part.outputs));
      if (part.direction == Direction::forward)
        report = std::move(own);
      else
        append(report, own);
    }
    return report;
  }

  Result<std::vector<CallPart>> partsOf(const CallData &call, const CallOutputs &outputs) override {
    std::vector<CallPart> parts;
    parts.push_back({forward.get(), Direction::forward, borrowed(call), {}});
    parts.push_back({backward.get(), Direction::backward, borrowed(call), {}});
    CallPart &first = parts.front(), &second = parts.back();
    eraseTensor(first.call, "do");
    eraseTensor(second.call, "classes"); // those of the forward, below
    for (const auto &[name, tensor] : outputs.arguments.tensors)
      (makesGradient(name) ? second : first).outputs.arguments.tensors.emplace_back(name, tensor);
    const reference::CallSizes &sizes = call.sizes;
    TERCET_RETURN_IF_ERROR(
        addOutput(first, "o", sizes.dtype, {sizes.batch, sizes.headsQ, sizes.tokensQ, sizes.valueDim}));
    for (const SavedTensor &saved : savedTensors(forward->artifact()->signature(), takes(), sizes)) {
      std::string name = outputNameOf(saved);
      TERCET_RETURN_IF_ERROR(addOutput(first, name, saved.dtype, saved.shape));
      second.call.arguments.tensors.emplace_back(saved.taken, *first.outputs.arguments.find(name));
    }
    std::erase_if(second.call.arguments.tensors, [&](const auto &tensor) { return !takes().find(tensor.first); });
    return parts;
  }

  size_t workspaceBytes() const override { return std::max(forward->workspaceBytes(), backward->workspaceBytes()); }
  const Artifact *artifact() const override { return forward->artifact(); }
  const TargetModule *module() const override { return forward->module(); }
  std::string target() const override { return forward->target(); }
  rt::GpuDevice *device() const override { return forward->device(); }
  const Executor *backwardOf() const override { return backward.get(); }
  bool makesGradient(std::string_view name) const override {
    const PlanArgument *argument = takes().find(name);
    return argument && argument->isOutput;
  }
  CompileReport compileReport() const override {
    CompileReport report = forward->compileReport(), more = backward->compileReport();
    report.compileMs += more.compileMs;
    if (report.cache == "hit")
      report.cache = more.cache;
    return report;
  }
  int64_t compileCount() const override { return forward->compileCount() + backward->compileCount(); }
  int threads() const override { return forward->threads(); }

private:
  const PlanSignature &takes() const { return backward->artifact()->signature(); }

  std::unique_ptr<Executor> forward, backward;
};

} // namespace

std::unique_ptr<Executor> makeGradientExecutor(std::unique_ptr<Executor> forward, std::unique_ptr<Executor> backward) {
  return std::make_unique<GradientExecutor>(std::move(forward), std::move(backward));
}

} // namespace tercet::cli
