// tercet check: a target against the fp64 oracle, by the numerics contract (docs/numerics.md). Made-up data is checked
// with q and k scaled by 1, 4 and 16: errors of exponentials show at large scores.
#include "Check.h"
#include "Command.h"

#include "OracleCheck.h"
#include "Progress.h"
#include "RunOptions.h"

namespace tercet::cli {
namespace {

constexpr double scales[] = {1, 4, 16};

Json measureJson(const reference::Measure &measure) { return {{"value", measure.value}, {"bound", measure.bound}}; }

Json verdictJson(const reference::Verdict &verdict) {
  Json outputs = Json::array();
  for (const reference::OutputVerdict &output : verdict.outputs) {
    outputs.push_back({{"name", output.name},
                       {"passed", output.passed()},
                       {"elements", output.elements},
                       {"relative_l2", measureJson(output.relativeL2)},
                       {"max_error", measureJson(output.maxError)},
                       {"mean_error", measureJson(output.meanError)},
                       {"non_finite", output.nonFinite},
                       {"worst", output.worst}});
    if (output.normError.bound > 0)
      outputs.back()["norm_error"] = measureJson(output.normError);
  }
  Json object = {{"passed", verdict.passed}, {"outputs", std::move(outputs)}};
  if (verdict.classes)
    object["classes"] = {{"passed", verdict.classes->passed()},
                         {"blocks", verdict.classes->blocks},
                         {"different", verdict.classes->different},
                         {"wrong_rows", verdict.classes->wrongRows},
                         {"first", verdict.classes->first}};
  if (!verdict.passed)
    object["reason"] = verdict.reason;
  return object;
}

class CheckCommand final : public Command {
public:
  explicit CheckCommand(ExecutorFactory makeExecutor) : makeExecutor(std::move(makeExecutor)) {}

  std::string name() const override { return "check"; }
  std::string summary() const override { return "compare a target with the fp64 oracle; exit code 1 when it differs"; }
  void declare(Options &to) override {
    options.declare(to);
    to.wholeNumber("--adversarial", adversarial, 1, INT64_MAX,
                   "on the simulator: random warp order, small turns, late effects and race checks, from this seed");
    to.wholeNumber("--rows", rowLimit, 1, INT64_MAX, "compare this many seeded rows (default: as time allows)");
    to.flag("--grad", options.grad, "also compare gradients, which takes all rows");
  }

  Result<ExitCode> run() override {
    TERCET_TRY(RunRequest request, options.resolve());
    if (adversarial > 0 && request.target.kind != TargetName::Kind::simulator)
      return Status::make(Code::invalidArgument,
                          "--adversarial is for simulated devices, such as sim:sm_80, not for '{}'",
                          request.target.text);
    const LoadedSpec &spec = request.spec;
    TERCET_TRY(CallData call, options.inputs(spec, request.cases.front()));
    ExecutorOptions executorOptions = options.executorOptions(request, call);
    executorOptions.showProgress = false; // the bar counts launches
    executorOptions.adversarial = adversarialSeed();
    TERCET_TRY(auto executor, makeExecutor(spec, executorOptions));
    if (options.grad)
      for (const std::string &name : gradientsOf(spec, call))
        if (!executor->makesGradient(name))
          printWarning(fmt::format("'{}' makes no gradient '{}' yet, so it is not compared", executor->target(), name));
    Json results = Json::array();
    std::string text;
    bool passed = true;
    size_t scaleCount = options.makesData() ? std::size(scales) : 1;
    Progress progress("check", static_cast<int64_t>(request.cases.size() * scaleCount));
    for (const Case &each : request.cases)
      for (size_t scale = 0; scale < scaleCount; ++scale) {
        TERCET_TRY(call, options.inputs(spec, each, scales[scale]));
        TERCET_TRY(reference::Verdict verdict, compare(spec, call, *executor, scales[scale]));
        progress.advance();
        passed = passed && verdict.passed;
        results.push_back({{"shape", call.shapeJson()},
                           {"parameters", parametersJson(call.arguments)},
                           {"input_scale", scales[scale]},
                           {"rows", oracle.comparedRows()}});
        results.back().update(verdictJson(verdict));
        text += fmt::format("{}, q and k x {}: {}", shapeText(call), scales[scale], reference::describe(verdict));
      }
    Json object = {{"command", "check"},
                   {"spec", spec.info.name},
                   {"dtype", dtypeName(call.sizes.dtype)},
                   {"settings", spec.settingsJson()},
                   {"seed", options.seed},
                   {"passed", passed}};
    object.update(executorJson(*executor));
    object["launches"] = results.size();
    object["cases"] = std::move(results);
    text += fmt::format("{}: {} on {}, {} compilations for {} launches\n", passed ? "passed" : "FAILED", spec.info.name,
                        executor->target(), executor->compileCount(), object["launches"].get<size_t>());
    text += countsText(object);
    TERCET_RETURN_IF_ERROR(options.json ? printJson(object) : printText(text));
    return passed ? exitOk : exitInput;
  }

private:
  static std::string shapeText(const CallData &call) {
    const reference::CallSizes &sizes = call.sizes;
    return cli::shapeText(
        {sizes.batch, sizes.headsQ, sizes.headsKV, sizes.tokensQ, sizes.tokensK, sizes.headDim, sizes.valueDim});
  }

  Result<reference::Verdict> compare(const LoadedSpec &spec, const CallData &call, Executor &executor, double scale) {
    std::vector<std::string> names = spec.info.outputs(), gradients;
    if (options.grad)
      gradients = gradientsOf(spec, call);
    std::erase_if(gradients, [&](const std::string &name) { return !executor.makesGradient(name); });
    names.insert(names.end(), gradients.begin(), gradients.end());
    TERCET_TRY(CallOutputs outputs, makeOutputs(call, names));
    TERCET_TRY(LaunchReport report, executor.launch(call, outputs));
    // Matrix units take P and dS in the compute dtype.
    return oracle.compare(spec, call, outputs.arguments,
                          {.inputScale = scale,
                           .rowLimit = rowLimit,
                           .seed = static_cast<uint64_t>(options.seed),
                           .withGradient = options.grad,
                           .probabilities = executor.device() ? call.sizes.dtype : DType::f32});
  }

  std::optional<uint64_t> adversarialSeed() const {
    return adversarial > 0 ? std::optional(static_cast<uint64_t>(adversarial)) : std::nullopt;
  }

  ExecutorFactory makeExecutor;
  RunOptions options;
  int64_t rowLimit = 0, adversarial = 0;
  OracleCheck oracle;
};

} // namespace

std::unique_ptr<Command> makeCheckCommand(ExecutorFactory makeExecutor) {
  return std::make_unique<CheckCommand>(std::move(makeExecutor));
}

std::unique_ptr<Command> makeCheckCommand() { return makeCheckCommand(&makeExecutor); }

} // namespace tercet::cli
