// tercet explain: what runs and why: the plan with its operations and bytes, the blocks that the count rules give, the
// schedule, and what memory it takes; with --grad for forward and backward, and what lies between them. Compiles; runs nothing.
#include "CallShape.h"
#include "Command.h"
#include "GradientMemory.h"
#include "PlanText.h"
#include "RunOptions.h"

#include "tercet/dialect/reference/BlockCounts.h"

namespace tercet::cli {
namespace {

const char *aggregationText(const std::string &aggregation) {
  if (aggregation == "global")
    return "one sum over all blocks for every row";
  if (aggregation == "subset-sums")
    return "per row, the sum over its linear blocks; from 16 rows on from tables of the sums of neighbouring blocks";
  if (aggregation == "class-matrix")
    return "the matrix of classes times the states of all blocks, on matrix units";
  return "the spec has no linear branch";
}

std::string blocksText(const std::optional<reference::BlockCounts> &known) {
  if (!known)
    return "blocks: masks, block sets, thresholds or tables decide, and so the data; what follows takes all as exact\n";
  const reference::BlockCounts &blocks = *known;
  double all = static_cast<double>(blocks.critical + blocks.marginal + blocks.negligible);
  auto line = [&](const char *name, int64_t count) {
    return fmt::format("  {:<22} {:>12}  {:5.2f} %\n", name, count, 100.0 * static_cast<double>(count) / all);
  };
  return "blocks, all heads, by the count rules\n" + line("exact (critical)", blocks.critical) +
         line("linear (marginal)", blocks.marginal) + line("skipped (negligible)", blocks.negligible);
}

class ExplainCommand final : public Command {
public:
  std::string name() const override { return "explain"; }
  std::string summary() const override {
    return "say what would run and why: plan, operations, blocks, schedule, memory";
  }
  void declare(Options &options) override {
    spec.declare(options);
    options.text("--shape", shapeOption, "b=1,h=12,n=32760,d=128[,m=,hkv=,dv=]", "the call to explain");
    options.text("--target", targetOption, "T", "cpu, cpu:v4, cpu:v3, cpu:portable, cuda[:N] or sim:ARCH");
    options.choice("--dtype", dtypeOption, {"f32", "f16", "bf16"}, "compute input type (default f32)");
    options.flag("--grad", grad, "explain the forward for a backward, the backward, and what is saved between them");
    schedules.declare(options);
    options.flag("--no-cache", noCache, "compile anew, and keep nothing");
    options.json(json);
  }

  Result<ExitCode> run() override {
    TERCET_TRY(TargetName target, parseTarget(targetOption));
    if (target.kind == TargetName::Kind::reference)
      return Status::make(Code::unsupportedTarget,
                          "the reference has no plan to explain; legal are cpu, cpu:v4, cpu:v3, cpu:portable, cuda[:N] "
                          "and sim:ARCH");
    TERCET_RETURN_IF_ERROR(checkRunsHere(target));
    TERCET_TRY(ScheduleRequest named, schedules.resolve());
    TERCET_TRY(LoadedSpec loaded, loadSpec(spec));
    if (shapeOption.empty())
      return Status::make(Code::invalidArgument, "--shape is missing; what runs depends on it");
    TERCET_TRY(reference::Shape shape, parseShape(shapeOption));
    DType dtype = DType::f32;
    parseDType(dtypeOption, dtype);
    TERCET_TRY(CallData call, describeCall(loaded, shape, dtype));
    TERCET_TRY(auto executor, makeExecutor(loaded, {.target = target,
                                                    .headDim = shape.headDim,
                                                    .valueDim = shape.valueDim,
                                                    .dtype = dtype,
                                                    .grad = grad,
                                                    .useCache = !noCache,
                                                    .schedules = named,
                                                    .expected = expectedCall(loaded, call)}));
    TERCET_TRY(auto known, reference::countBlocks(loaded.info.program, call.arguments));
    const reference::CallSizes &sizes = call.sizes;
    reference::BlockCounts most{.critical = sizes.batch * sizes.headsQ * sizes.blocksQ * sizes.blocksK};
    reference::BlockCounts blocks = known.value_or(most);
    auto estimateOf = [&](const Executor &of, const Arguments &arguments) {
      return rt::estimatePlan(*of.artifact(), *of.module(), arguments,
                              {blocks.critical, blocks.marginal, blocks.negligible}, of.threads());
    };
    const Executor *backward = executor->backwardOf();
    DescribedGradient described{call.arguments, {}};
    if (backward)
      described = describeGradient(call, executor->artifact()->signature(), backward->artifact()->signature());
    TERCET_TRY(rt::PlanEstimate estimate, estimateOf(*executor, described.forward));
    rt::PlanEstimate more;
    Json between = Json::object();
    if (backward) {
      TERCET_TRY(more, estimateOf(*backward, described.backward));
      between = gradientMemoryJson(loaded, call, *executor, blocks);
    }
    if (!json) {
      std::string text = headText(loaded, shape, dtype, *executor, known);
      if (backward)
        text += directionText("forward", estimate);
      text += programText(*executor, estimate, call);
      if (backward)
        text += gradientMemoryText(between) + directionText("backward", more) + programText(*backward, more, call);
      TERCET_RETURN_IF_ERROR(printText(text));
      return exitOk;
    }
    Json object = {{"command", "explain"},
                   {"spec", loaded.info.name},
                   {"dtype", dtypeName(dtype)},
                   {"shape", call.shapeJson()},
                   {"settings", loaded.settingsJson()}};
    object.update(executorJson(*executor));
    if (loaded.info.classifies() && known)
      object["blocks"] = {{"kept", blocks.critical}, {"linear", blocks.marginal}, {"skipped", blocks.negligible}};
    object.update(estimateJson(estimate));
    object.update(between);
    if (backward)
      object["backward"].update(estimateJson(more));
    TERCET_RETURN_IF_ERROR(printJson(object));
    return exitOk;
  }

private:
  static std::string headText(const LoadedSpec &loaded, const reference::Shape &shape, DType dtype,
                              const Executor &executor, const std::optional<reference::BlockCounts> &blocks) {
    const Artifact &artifact = *executor.artifact();
    std::string text =
        fmt::format("{} at {}, {}, on {} with {} {}\n", loaded.info.name, shapeText(shape), dtypeName(dtype),
                    executor.target(), executor.threads(), executor.device() ? "multiprocessors" : "threads");
    CompileReport report = executor.compileReport();
    text += fmt::format("compiled in {:.1f} ms (cache {}) by {}\n", report.compileMs, report.cache, artifact.compiler);
    text += "parameters\n";
    for (const compiler::ParameterInfo &parameter : loaded.info.parameters)
      text += fmt::format("  {:<16} {:<14} {:<8} {}\n", parameter.name, parameter.value,
                          parameter.isStatic ? "static" : "runtime", parameter.isSet ? "set" : "default");
    if (loaded.info.classifies())
      text += blocksText(blocks);
    return text + fmt::format("aggregation: {} ({})\n", artifact.aggregation, aggregationText(artifact.aggregation));
  }

  std::string programText(const Executor &executor, const rt::PlanEstimate &estimate, const CallData &call) const {
    std::string text = "schedule: " + sourceText(executor.compileReport().schedules) + "\n";
    const std::vector<KernelInfo> &kernels = executor.module()->kernels;
    if (!executor.device() && !kernels.empty()) // a CPU's kernels have one
      text += fmt::format("  {:<16} {}\n", "all kernels", kernels.front().schedule);
    else
      for (const KernelInfo &kernel : kernels)
        text += fmt::format("  {:<16} {}{}\n", kernel.name, kernel.schedule, resourcesText(kernel.gpu));
    text += remarksText(*executor.module());
    return text + planText(estimate) + memoryText(estimate, call);
  }

  std::string sourceText(const ScheduleSource &source) const {
    if (source.kind == "explicit")
      return "explicit, as given; kernels that were not named have the default";
    if (source.kind == "database")
      return fmt::format("database, a row of {} ({}) at distance {:.3g}, measured {}", source.file, source.origin,
                         source.distance, source.date);
    return std::string("default, chosen by the compiler's rules for this head dimension and target; ") +
           (schedules.deterministic ? "no database was asked" : "no row of the tuning database is near this call");
  }

  /// What the compiler decided beside the schedules taken: those passed over, and forms that a spec does not take.
  static std::string remarksText(const TargetModule &module) {
    std::string text;
    for (const std::string &remark : module.remarks) {
      auto isTaken = [&](const KernelInfo &kernel) { return remark == kernel.name + ": schedule " + kernel.schedule; };
      if (std::none_of(module.kernels.begin(), module.kernels.end(), isTaken))
        text += "  " + remark + "\n";
    }
    return text.empty() ? text : "remarks\n" + text;
  }

  /// What a GPU kernel takes of its multiprocessor; nothing for CPU kernels.
  static std::string resourcesText(const GpuKernelInfo &gpu) {
    if (gpu.threads == 0)
      return "";
    std::string text = fmt::format("\n  {:<16} {} threads, {} bytes of shared memory", "", gpu.threads,
                                   gpu.staticSharedBytes + gpu.dynamicSharedBytes);
    if (gpu.registers > 0)
      text +=
          fmt::format(", {} registers, {} bytes spilled, {} of stack", gpu.registers, gpu.spillBytes, gpu.stackBytes);
    for (const std::string &note : gpu.notes)
      text += "\n" + std::string(20, ' ') + note;
    return text;
  }

  SpecOptions spec;
  ScheduleOptions schedules;
  std::string shapeOption, targetOption = "cpu", dtypeOption = "f32";
  bool grad = false, noCache = false, json = false;
};

} // namespace

std::unique_ptr<Command> makeExplainCommand() { return std::make_unique<ExplainCommand>(); }

} // namespace tercet::cli
