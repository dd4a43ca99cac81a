// tercet explain: what runs and why: the plan with its operations and bytes, the blocks that the count rules give, the
// schedule, and what memory it takes. Compiles; runs nothing.
#include "CallShape.h"
#include "Command.h"
#include "RunOptions.h"

#include "tercet/dialect/reference/BlockCounts.h"
#include "tercet/rt/PlanEstimate.h"

namespace tercet::cli {
namespace {

constexpr double mebi = 1 << 20;

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

std::string planText(const rt::PlanEstimate &estimate) {
  std::string text = fmt::format("plan: {} (batch, KV head) pairs in groups of {}; {} value slices in passes of {}; "
                                 "states of {} query blocks in passes of {}\n",
                                 estimate.pairs, estimate.groupPairs, estimate.slices, estimate.passSlices,
                                 estimate.rows, estimate.passRows);
  text += fmt::format("  {:<11} {:<16} {:<8} {:>6} {:>10} {:>12} {:>12}\n", "stage", "node", "by", "runs", "items",
                      "MFLOP", "MiB touched");
  for (const rt::NodeEstimate &node : estimate.nodes)
    text += fmt::format("  {:<11} {:<16} {:<8} {:>6} {:>10} {:>12.1f} {:>12.2f}\n", node.stage, node.callee,
                        node.isBuiltin ? "runtime" : "compiled", node.runs, node.items, node.flops / 1e6,
                        node.bytes / mebi);
  return text;
}

std::string memoryText(const rt::PlanEstimate &estimate, const CallData &call) {
  std::string text = fmt::format("workspace: {:.2f} MiB beyond inputs and outputs\n",
                                 static_cast<double>(estimate.workspaceBytes) / mebi);
  for (const rt::BufferEstimate &buffer : estimate.buffers)
    text += fmt::format("  {:<16} {:>10.2f} MiB  {}\n", buffer.name, static_cast<double>(buffer.bytes) / mebi,
                        buffer.purpose);
  text += fmt::format("  {:<16} {:>10.2f} MiB  of all threads\n", "scratch",
                      static_cast<double>(estimate.scratchBytes) / mebi);
  const Tensor &k = *call.arguments.find("k");
  double bytesOfK = static_cast<double>(k.elements()) * static_cast<double>(dtypeSize(k.dtype));
  if (estimate.statePassBytes > 0)
    text += fmt::format(
        "memory: h and H of one pass take {:.2f} MiB, K has {:.2f} MiB: {}\n",
        static_cast<double>(estimate.statePassBytes) / mebi, bytesOfK / mebi,
        static_cast<double>(estimate.statePassBytes) <= bytesOfK
            ? "within the bytes of K"
            : "more than K: the states of one slice of one pair, and of the fewest query blocks worth a pass");
  return text;
}

Json estimateJson(const rt::PlanEstimate &estimate) {
  Json nodes = Json::array(), buffers = Json::array();
  for (const rt::NodeEstimate &node : estimate.nodes)
    nodes.push_back({{"stage", node.stage},
                     {"node", node.callee},
                     {"by", node.isBuiltin ? "runtime" : "compiled"},
                     {"runs", node.runs},
                     {"items", node.items},
                     {"flop", node.flops},
                     {"bytes", node.bytes}});
  for (const rt::BufferEstimate &buffer : estimate.buffers)
    buffers.push_back({{"name", buffer.name}, {"purpose", buffer.purpose}, {"bytes", buffer.bytes}});
  return {{"pairs", estimate.pairs},
          {"group_pairs", estimate.groupPairs},
          {"slices", estimate.slices},
          {"pass_slices", estimate.passSlices},
          {"rows", estimate.rows},
          {"pass_rows", estimate.passRows},
          {"plan", nodes},
          {"buffers", buffers},
          {"scratch_bytes", estimate.scratchBytes},
          {"workspace_bytes", estimate.workspaceBytes},
          {"state_bytes", estimate.statePassBytes},
          {"state_budget_bytes", estimate.stateBudgetBytes}};
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
                                                    .useCache = !noCache}));
    TERCET_TRY(auto known, reference::countBlocks(loaded.info.program, call.arguments));
    const reference::CallSizes &sizes = call.sizes;
    reference::BlockCounts most{.critical = sizes.batch * sizes.headsQ * sizes.blocksQ * sizes.blocksK};
    reference::BlockCounts blocks = known.value_or(most);
    TERCET_TRY(rt::PlanEstimate estimate,
               rt::estimatePlan(*executor->artifact(), *executor->module(), call.arguments,
                                {blocks.critical, blocks.marginal, blocks.negligible}, executor->threads()));
    if (!json) {
      TERCET_RETURN_IF_ERROR(printText(explain(loaded, shape, dtype, *executor, known, estimate, call)));
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
    TERCET_RETURN_IF_ERROR(printJson(object));
    return exitOk;
  }

private:
  static std::string explain(const LoadedSpec &loaded, const reference::Shape &shape, DType dtype,
                             const Executor &executor, const std::optional<reference::BlockCounts> &blocks,
                             const rt::PlanEstimate &estimate, const CallData &call) {
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
    text += fmt::format("aggregation: {} ({})\n", artifact.aggregation, aggregationText(artifact.aggregation));
    text += "schedule: chosen by the compiler's rules for this head dimension and instruction set\n";
    for (const KernelInfo &kernel : executor.module()->kernels)
      text += fmt::format("  {:<16} {}{}\n", kernel.name, kernel.schedule, resourcesText(kernel.gpu));
    return text + planText(estimate) + memoryText(estimate, call);
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
  std::string shapeOption, targetOption = "cpu", dtypeOption = "f32";
  bool noCache = false, json = false;
};

} // namespace

std::unique_ptr<Command> makeExplainCommand() { return std::make_unique<ExplainCommand>(); }

} // namespace tercet::cli
