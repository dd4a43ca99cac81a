// What the forward saves for the backward lies in memory of the executor's, where the caller does not ask for it.
#include "GradientExecutor.h"

#include <algorithm>

namespace tercet::cli {
namespace {

/// Null where there is none of this name.
const PlanArgument *argumentOf(const Executor &executor, std::string_view name) {
  const std::vector<PlanArgument> &arguments = executor.artifact()->signature().arguments;
  auto found =
      std::find_if(arguments.begin(), arguments.end(), [&](const PlanArgument &each) { return each.name == name; });
  return found == arguments.end() ? nullptr : &*found;
}

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

class GradientExecutor final : public Executor {
public:
  GradientExecutor(std::unique_ptr<Executor> forward, std::unique_ptr<Executor> backward)
      : forward(std::move(forward)), backward(std::move(backward)) {}

  Result<LaunchReport> launch(const CallData &call, const CallOutputs &outputs) override {
    CallOutputs saved;
    std::vector<std::string> names = {"o"};
    if (argumentOf(*forward, "lse"))
      names.push_back("lse");
    if (forward->artifact()->signature().blockQ != 0)
      names.push_back("classes");
    std::erase_if(names, [&](const std::string &name) { return outputs.arguments.find(name); });
    TERCET_TRY(saved, makeOutputs(call, names));
    const reference::CallSizes &sizes = call.sizes;
    auto save = [&](const char *name, const std::vector<int64_t> &shape) -> Status {
      if (!argumentOf(*forward, name))
        return {};
      TERCET_TRY(compiler::StoredTensor tensor, compiler::StoredTensor::allocate(DType::f32, shape));
      saved.arguments.tensors.emplace_back(name, tensor.view);
      saved.stored.push_back(std::move(tensor));
      return {};
    };
    TERCET_RETURN_IF_ERROR(save("o_wide", {sizes.batch, sizes.headsQ, sizes.tokensQ, sizes.valueDim}));
    TERCET_RETURN_IF_ERROR(save("lse_rest", {sizes.batch, sizes.headsQ, sizes.tokensQ}));
    CallOutputs gradients;
    for (const auto &[name, tensor] : outputs.arguments.tensors)
      (makesGradient(name) ? gradients : saved).arguments.tensors.emplace_back(name, tensor);
    CallData first = without(call, {"do"});
    TERCET_TRY(LaunchReport report, forward->launch(first, saved));

    CallData second = without(call, {"classes"});
    auto give = [&](const char *name, const char *as) {
      if (const Tensor *tensor = saved.arguments.find(name))
        second.arguments.tensors.emplace_back(as, *tensor);
    };
    give(argumentOf(*forward, "o_wide") ? "o_wide" : "o", "o");
    give("lse", "lse");
    give("lse_rest", "lse_rest");
    give("classes", "classes");
    std::erase_if(second.arguments.tensors, [&](const auto &tensor) { return !argumentOf(*backward, tensor.first); });
    TERCET_TRY(LaunchReport more, backward->launch(second, gradients));
    append(report, more);
    return report;
  }

  size_t workspaceBytes() const override { return std::max(forward->workspaceBytes(), backward->workspaceBytes()); }
  const Artifact *artifact() const override { return forward->artifact(); }
  const TargetModule *module() const override { return forward->module(); }
  std::string target() const override { return forward->target(); }
  rt::GpuDevice *device() const override { return forward->device(); }
  const Executor *backwardOf() const override { return backward.get(); }
  bool makesGradient(std::string_view name) const override {
    const PlanArgument *argument = argumentOf(*backward, name);
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
  /// Views of the call's tensors but these.
  static CallData without(const CallData &call, std::initializer_list<std::string_view> names) {
    CallData less;
    less.sizes = call.sizes;
    less.arguments = call.arguments;
    std::erase_if(less.arguments.tensors, [&](const auto &tensor) {
      return std::find(names.begin(), names.end(), tensor.first) != names.end();
    });
    return less;
  }

  std::unique_ptr<Executor> forward, backward;
};

} // namespace

std::unique_ptr<Executor> makeGradientExecutor(std::unique_ptr<Executor> forward, std::unique_ptr<Executor> backward) {
  return std::make_unique<GradientExecutor>(std::move(forward), std::move(backward));
}

} // namespace tercet::cli
