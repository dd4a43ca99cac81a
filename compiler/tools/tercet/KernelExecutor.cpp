// The compiled side of Executor: a Session with the JIT, and a workspace that grows as calls need it. On a GPU the tensors
// of a call are staged, and classes come back with the outputs so that blocks can be counted here.
#include "BlockCounts.h"
#include "Executor.h"
#include "GradientExecutor.h"
#include "ReferenceExecutor.h"

#include "tercet/Jit.h"
#include "tercet/rt/PlanEstimate.h"
#include "tercet/rt/SimulatedGpu.h"
#include "tercet/rt/StagedCall.h"

namespace tercet::cli {
namespace {

/// Empty where there is none.
std::string classesOutput(const PlanSignature &signature) {
  for (const PlanArgument &argument : signature.arguments)
    if (argument.role == PlanArgument::Role::classesOutput)
      return argument.name;
  return "";
}

class KernelExecutor : public Executor {
public:
  Status open(const LoadedSpec &spec, const ExecutorOptions &options, Direction direction) {
    host = options.host;
    if (!host) {
      TERCET_TRY(host, ExecutorHost::create(options.useCache, options.adversarial));
    }
    Problem problem{options.headDim, options.valueDim, options.dtype, options.target.text, direction};
    problem.expected = options.expected;
    options.schedules.applyTo(problem);
    TERCET_TRY(kernel, host->session->compile(spec.toCompile, problem, &report));
    return {};
  }

  Result<LaunchReport> launch(const CallData &call, const CallOutputs &outputs) override {
    Arguments all = planArguments(artifact()->signature(), call, outputs);
    TERCET_TRY(size_t needed, kernel->workspaceBytes(all));
    workspaceSize = std::max(workspaceSize, needed);
    TERCET_TRY(void *workspace, host->workspace(needed));
    LaunchReport result;
    TERCET_RETURN_IF_ERROR(kernel->launch(all, workspace, needed, &result));
    return result;
  }

  size_t workspaceBytes() const override { return workspaceSize; }
  const Artifact *artifact() const override { return &kernel->artifact(); }
  const TargetModule *module() const override { return &kernel->module(); }
  std::string target() const override { return module()->target; }
  CompileReport compileReport() const override { return report; }
  int64_t compileCount() const override { return host->session->compileCount(); }
  int threads() const override { return host->session->threads(); }

protected:
  std::shared_ptr<ExecutorHost> host;
  std::shared_ptr<Kernel> kernel;
  CompileReport report;
  size_t workspaceSize = 0;
};

class GpuExecutor final : public KernelExecutor {
public:
  Status open(const LoadedSpec &spec, const ExecutorOptions &options, Direction direction) {
    TERCET_RETURN_IF_ERROR(KernelExecutor::open(spec, options, direction));
    TERCET_TRY(gpu, host->session->device(options.target.text));
    return {};
  }

  Result<LaunchReport> launch(const CallData &call, const CallOutputs &outputs) override {
    CallOutputs withClasses = outputs;
    if (!classesOutput(artifact()->signature()).empty() && !outputs.arguments.find("classes")) {
      TERCET_TRY(CallOutputs classes, makeOutputs(call, {"classes"}));
      withClasses.arguments.tensors.push_back(classes.arguments.tensors.front());
      withClasses.stored.push_back(classes.stored.front());
    }
    Arguments host = planArguments(artifact()->signature(), call, withClasses);
    TERCET_TRY(size_t needed, kernel->workspaceBytes(host));
    if (needed > workspaceSize) {
      memory = {};
      TERCET_TRY(memory, rt::GpuMemory::allocate(gpu, needed));
      workspaceSize = needed;
    }
    TERCET_TRY(rt::StagedCall staged, rt::StagedCall::upload(gpu, host));
    LaunchReport result;
    TERCET_RETURN_IF_ERROR(kernel->launch(staged.arguments(), memory.data(), workspaceSize, &result));
    TERCET_RETURN_IF_ERROR(staged.download(outputNames()));
    return account(call, withClasses, host, std::move(result));
  }

  std::string target() const override { return gpu->properties().target; }
  rt::GpuDevice *device() const override { return gpu.get(); }
  int threads() const override { return static_cast<int>(gpu->properties().multiprocessors); }

private:
  std::vector<std::string> outputNames() const {
    std::vector<std::string> names;
    for (const PlanArgument &argument : artifact()->signature().arguments)
      if (argument.isOutput)
        names.push_back(argument.name);
    return names;
  }

  /// Adds what the device does not tell: blocks by class, and the operations that follow from them.
  Result<LaunchReport> account(const CallData &call, const CallOutputs &outputs, const Arguments &host,
                               LaunchReport result) const {
    const Tensor *classes = outputs.arguments.find("classes");
    if (!classes && classesOutput(artifact()->signature()).empty()) // a backward takes those of its forward
      classes = call.arguments.find("classes");
    if (classes)
      countBlocks(*classes, call.arguments, artifact()->signature().blockQ, artifact()->signature().blockK, result);
    TERCET_TRY(rt::PlanEstimate estimate,
               rt::estimatePlan(*artifact(), *module(), host,
                                {result.criticalBlocks, result.marginalBlocks, result.negligibleBlocks}, threads()));
    for (const rt::NodeEstimate &node : estimate.nodes)
      result.stageFlops[node.stage] += node.flops;
    return result;
  }

  std::shared_ptr<rt::GpuDevice> gpu;
  rt::GpuMemory memory;
};

template <typename Kind>
Result<std::unique_ptr<Executor>> openAs(const LoadedSpec &spec, const ExecutorOptions &options) {
  auto open = [&](Direction direction) -> Result<std::unique_ptr<Executor>> {
    auto executor = std::make_unique<Kind>();
    TERCET_RETURN_IF_ERROR(executor->open(spec, options, direction));
    return std::unique_ptr<Executor>(std::move(executor));
  };
  if (!options.grad)
    return open(options.direction);
  TERCET_TRY(std::unique_ptr<Executor> forward, open(Direction::forward));
  TERCET_TRY(std::unique_ptr<Executor> backward, open(Direction::backward));
  return makeGradientExecutor(std::move(forward), std::move(backward));
}

/// "schedule_source", and for a row of a database "schedule_row".
void addSource(Json &object, const ScheduleSource &source) {
  object["schedule_source"] = source.kind;
  if (source.kind == "database")
    object["schedule_row"] = {
        {"file", source.file}, {"origin", source.origin}, {"distance", source.distance}, {"date", source.date}};
}

Json deviceJson(const rt::GpuProperties &device) {
  return {{"name", device.name},        {"architecture", device.architecture},
          {"driver", device.driver},    {"multiprocessors", device.multiprocessors},
          {"l2_bytes", device.l2Bytes}, {"memory_bytes", device.memoryBytes}};
}

} // namespace

Result<std::shared_ptr<ExecutorHost>> ExecutorHost::create(bool useCache, std::optional<uint64_t> adversarial) {
  SessionOptions options;
  options.useCache = useCache;
  rt::SimulationOptions simulation;
  if (adversarial)
    simulation = rt::adversarialSimulation(*adversarial);
  options.openDevice = [simulation](const std::string &target) { return rt::openSimulatedGpu(target, simulation); };
  auto host = std::make_shared<ExecutorHost>();
  TERCET_TRY(host->session, Session::create(std::move(options), makeCompiler()));
  return host;
}

Result<void *> ExecutorHost::workspace(size_t bytes) {
  if (bytes > size) {
    TERCET_TRY(memory, compiler::StoredTensor::allocate(DType::i8, {static_cast<int64_t>(bytes)}));
    size = bytes;
  }
  return memory.view.data;
}

CallData borrowed(const CallData &call) {
  CallData views;
  views.sizes = call.sizes;
  views.arguments = call.arguments;
  return views;
}

Arguments planArguments(const PlanSignature &signature, const CallData &call, const CallOutputs &outputs) {
  Arguments all = call.arguments;
  for (const auto &[name, tensor] : outputs.arguments.tensors)
    all.tensors.emplace_back(name == "classes" ? classesOutput(signature) : name, tensor);
  return all;
}

Result<std::vector<CallPart>> Executor::partsOf(const CallData &call, const CallOutputs &outputs) {
  std::vector<CallPart> parts;
  parts.push_back({this, Direction::inference, borrowed(call), {outputs.arguments, {}}});
  return parts;
}

Result<std::unique_ptr<Executor>> makeExecutor(const LoadedSpec &spec, const ExecutorOptions &options) {
  TERCET_RETURN_IF_ERROR(checkRunsHere(options.target));
  if (options.target.kind == TargetName::Kind::reference)
    return makeReferenceExecutor(spec, options.showProgress);
  if (options.target.isGpu())
    return openAs<GpuExecutor>(spec, options);
  return openAs<KernelExecutor>(spec, options);
}

Json executorJson(const Executor &executor) {
  CompileReport report = executor.compileReport();
  Json object = {{"target", executor.target()},
                 {"threads", executor.threads()},
                 {"compile_ms", report.compileMs},
                 {"cache", report.cache},
                 {"compiles", executor.compileCount()}};
  if (const Artifact *artifact = executor.artifact()) {
    object["aggregation"] = artifact->aggregation;
    Json schedule = Json::object();
    for (const KernelInfo &kernel : executor.module()->kernels)
      schedule[kernel.name] = kernel.schedule;
    object["schedule"] = std::move(schedule);
    addSource(object, report.schedules);
    object["remarks"] = executor.module()->remarks;
  }
  if (const Executor *backward = executor.backwardOf())
    object["backward"] = executorJson(*backward);
  if (rt::GpuDevice *device = executor.device()) {
    object["module"] = executor.module()->target;
    object["device"] = deviceJson(device->properties());
    if (std::vector<rt::GpuKernelCounts> counts = device->counts(); !counts.empty()) {
      Json kernels = Json::array();
      for (const rt::GpuKernelCounts &kernel : counts) {
        kernels.push_back({{"kernel", kernel.kernel}, {"launches", kernel.launches}});
        for (const auto &[name, value] : kernel.counts)
          kernels.back()[name] = value;
      }
      object["kernels"] = std::move(kernels);
    }
  }
  return object;
}

std::string countsText(const Json &object) {
  std::string text;
  if (!object.contains("kernels"))
    return text;
  for (const Json &kernel : object["kernels"]) {
    auto number = [&](const char *name) { return kernel[name].get<double>(); };
    text += fmt::format("  {:<20} {:>3} launches {:>12.0f} instructions ({:.0f} per warp), {:.2f} MB read, {:.2f} MB "
                        "written, {:.0f} bank conflicts, {:.1f} matrix MFLOP\n",
                        kernel["kernel"].get<std::string>(), kernel["launches"].get<int64_t>(), number("instructions"),
                        number("instructions_per_warp"), (number("global_load_bytes") + number("async_bytes")) / 1e6,
                        number("global_store_bytes") / 1e6, number("bank_conflicts"), number("matrix_flop") / 1e6);
  }
  return text;
}

Json launchJson(const LaunchReport &report, bool classifies) {
  Json stages = Json::array();
  for (const auto &[stage, ms] : report.stageMs) {
    Json entry = {{"stage", stage}, {"ms", ms}};
    if (auto flops = report.stageFlops.find(stage); flops != report.stageFlops.end())
      entry["flop"] = flops->second;
    stages.push_back(std::move(entry));
  }
  Json object = {{"ms", report.totalMs}, {"stages", std::move(stages)}};
  if (classifies)
    object["blocks"] = {
        {"kept", report.criticalBlocks}, {"linear", report.marginalBlocks}, {"skipped", report.negligibleBlocks}};
  return object;
}

} // namespace tercet::cli
