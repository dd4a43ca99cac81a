// tercet fit: for the user's own tensors, which spec stands in for exact attention within a bound on every head's error in the
// least time, and with what value per head.
#include "Command.h"
#include "FitReport.h"
#include "Progress.h"

#include "tercet/AtomicFile.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

namespace tercet::cli {
namespace {

/// Candidates where none are named: those that see what the exact spec sees. sla needs trained weights, and streaming is causal.
std::vector<std::string> defaultSpecs(const std::string &against, bool hasWeights) {
  if (against == "causal")
    return {"xattention", "streaming"};
  std::vector<std::string> names = {"sparse_topk", "block_mean", "spargeattn"};
  if (hasWeights)
    names.push_back("sla");
  return names;
}

std::string nameOf(const std::string &assignment) { return assignment.substr(0, assignment.find('=')); }

class FitCommand final : public Command {
public:
  std::string name() const override { return "fit"; }
  std::string summary() const override {
    return "find the spec, and its kept fraction per head, that meets an error on given tensors in the least time";
  }
  void declare(Options &options) override {
    options.repeated("--spec", specs, "SPEC",
                     "a candidate; may be repeated (default sparse_topk, block_mean, spargeattn, and sla with --in w)");
    options.text("--against", against, "SPEC", "what counts as exact (default dense)");
    options.text("--max-error", maxErrorOption, "E", "largest relative error of a head's output (default 0.05)");
    options.repeated("--set", settings, "NAME=VALUE", "set a parameter in every candidate that has it");
    options.repeated("--in", in, "NAME=FILE[:TENSOR]",
                     "an input tensor, .npy or .safetensors: q, k, v, w, b, q_len, k_len");
    options.text("--shape", shapeOption, "b=1,h=12,n=32760,d=128[,m=,hkv=,dv=]", "seeded data instead of --in");
    options.text("--target", targetOption, "T", "cpu, cpu:v4, cpu:v3, cpu:portable or cuda[:N]");
    options.choice("--dtype", dtypeOption, {"f32", "f16", "bf16"}, "compute input type; default: the files'");
    options.wholeNumber("--seed", seed, 0, INT64_MAX, "seed of made-up data (default 0)");
    options.wholeNumber("--repetitions", repetitions, 3, 100000, "timed launches of what was found (default 7)");
    options.wholeNumber("--budget", budgetSeconds, 1, 86400,
                        "seconds of timing after which no repetition begins, after the first three (default 120)");
    options.text("-o,--output", picture, "FILE", "the trade-off curves as .png");
    options.text("--spec-out", specOut, "FILE",
                 "the spec that was found as .mlir, with its values per head as .npy beside it");
    options.flag("--no-cache", noCache, "compile anew, and keep nothing");
    options.json(json);
  }

  Result<ExitCode> run() override {
    TERCET_TRY(target, parseTarget(targetOption));
    TERCET_RETURN_IF_ERROR(checkOptions());
    TERCET_TRY(LoadedSpec exact, loadSpec({.spec = against, .settings = {}}));
    TERCET_TRY(std::vector<LoadedSpec> candidates, loadCandidates());
    TERCET_TRY(CallData exactCall, inputsOf(exact));
    TERCET_TRY(compiler::StoredTensor exactValues, exactOutput(exact, exactCall, !noCache));

    std::vector<std::unique_ptr<FitContender>> contenders;
    for (const LoadedSpec &candidate : candidates) {
      Result<std::unique_ptr<FitContender>> contender = open(candidate, exactValues.view);
      // What the user did not name may be left out.
      if (!contender.ok() && contender.status().code() == Code::unsupportedTarget && specs.empty()) {
        printWarning(fmt::format("{} is left out: {}", candidate.info.name, contender.status().message()));
        continue;
      }
      TERCET_TRY(std::unique_ptr<FitContender> opened, std::move(contender));
      contenders.push_back(std::move(opened));
    }
    if (contenders.empty())
      return Status::make(Code::unsupportedTarget, "'{}' runs none of the candidates", targetOption);
    TERCET_TRY(auto exactExecutor, makeExecutor(exact, optionsFor(exactCall)));
    TERCET_TRY(CallOutputs exactOutputs, makeOutputs(exactCall, {"o"}));
    TERCET_TRY(tune::FitResult result, search(contenders, *exactExecutor, exactCall, exactOutputs));
    return print({contenders, result, maxError, exact.info.name}, exactCall, *exactExecutor);
  }

private:
  Status checkOptions() {
    if (target.kind == TargetName::Kind::reference || target.kind == TargetName::Kind::simulator)
      return Status::make(Code::unsupportedTarget,
                          "'{}' gives no times to choose by; legal are cpu, cpu:v4, cpu:v3, cpu:portable and cuda[:N]",
                          targetOption);
    TERCET_RETURN_IF_ERROR(checkRunsHere(target));
    const char *end = maxErrorOption.data() + maxErrorOption.size();
    auto [stop, error] = std::from_chars(maxErrorOption.data(), end, maxError);
    if (error != std::errc() || stop != end || !std::isfinite(maxError) || maxError <= 0)
      return Status::make(Code::invalidArgument, "--max-error is '{}'; legal are numbers above 0", maxErrorOption);
    if (!in.empty() && !shapeOption.empty())
      return Status::make(Code::invalidArgument, "--in and --shape exclude each other: data is read or made up");
    if (in.empty() && shapeOption.empty())
      return Status::make(Code::invalidArgument,
                          "no data: give --in q=FILE --in k=FILE --in v=FILE, or --shape for made-up data");
    for (const auto &[path, ending, option] : {std::tuple{picture, ".png", "-o"}, {specOut, ".mlir", "--spec-out"}}) {
      if (path.empty())
        continue;
      if (!path.ends_with(ending))
        return Status::make(Code::invalidArgument, "{} is '{}'; the file must end in {}", option, path, ending);
      TERCET_RETURN_IF_ERROR(checkOutputPath(path));
    }
    return {};
  }

  Result<std::vector<LoadedSpec>> loadCandidates() const {
    bool hasWeights = std::any_of(in.begin(), in.end(), [](const std::string &each) { return nameOf(each) == "w"; });
    TERCET_TRY(auto all, parseSettings(settings));
    std::vector<LoadedSpec> candidates;
    std::vector<std::string> known = {"q", "k", "v", "q_len", "k_len"};
    for (const std::string &name : specs.empty() ? defaultSpecs(against, hasWeights) : specs) {
      TERCET_TRY(Spec spec, readSpecText(name));
      TERCET_TRY(LoadedSpec plain, bindSpec(spec));
      for (const auto &[parameter, value] : all)
        if (plain.info.find(parameter))
          spec.settings[parameter] = value;
      TERCET_TRY(LoadedSpec candidate, bindSpec(std::move(spec)));
      for (const std::string &input : candidate.info.inputs())
        known.push_back(input);
      candidates.push_back(std::move(candidate));
    }
    for (const auto &[parameter, value] : all)
      if (std::none_of(candidates.begin(), candidates.end(),
                       [&](const auto &each) { return each.info.find(parameter); }))
        return Status::make(Code::invalidArgument, "--set names '{}', a parameter of none of the candidates",
                            parameter);
    for (const std::string &assignment : in)
      if (std::find(known.begin(), known.end(), nameOf(assignment)) == known.end())
        return Status::make(Code::invalidArgument, "--in names '{}', an input of none of the candidates",
                            nameOf(assignment));
    return candidates;
  }

  /// Of what is given, what this spec takes.
  Result<CallData> inputsOf(const LoadedSpec &spec) const {
    if (!shapeOption.empty()) {
      TERCET_TRY(reference::Shape shape, parseShape(shapeOption));
      DType dtype = DType::f32;
      parseDType(dtypeOption, dtype);
      return makeInputs(spec, shape, {.seed = static_cast<uint64_t>(seed), .dtype = dtype});
    }
    std::vector<std::string> legal = spec.info.inputs(), taken;
    for (const char *lengths : {"q_len", "k_len"})
      legal.push_back(lengths);
    for (const std::string &assignment : in)
      if (std::find(legal.begin(), legal.end(), nameOf(assignment)) != legal.end())
        taken.push_back(assignment);
    return readInputs(spec, taken, dtypeOption, false);
  }

  Result<std::unique_ptr<FitContender>> open(const LoadedSpec &candidate, const Tensor &exact) const {
    TERCET_TRY(CallData call, inputsOf(candidate));
    for (const std::string &warning : call.warnings(candidate))
      printWarning(fmt::format("{}: {}", candidate.info.name, warning));
    ExecutorOptions options = optionsFor(call);
    return FitContender::make(candidate, std::move(call), exact, options);
  }

  ExecutorOptions optionsFor(const CallData &call) const {
    return {.target = target,
            .headDim = call.sizes.headDim,
            .valueDim = call.sizes.valueDim,
            .dtype = call.sizes.dtype,
            .useCache = !noCache};
  }

  Result<tune::FitResult> search(const std::vector<std::unique_ptr<FitContender>> &contenders, Executor &exact,
                                 const CallData &exactCall, const CallOutputs &exactOutputs) const {
    tune::FitOptions options{.maxError = maxError,
                             .heads = exactCall.sizes.headsQ,
                             .repetitions = repetitions,
                             .budgetSeconds = static_cast<double>(budgetSeconds)};
    std::vector<tune::Contender *> borrowed;
    int64_t launches = repetitions;
    for (const auto &contender : contenders) {
      borrowed.push_back(contender.get());
      double perCurveStep = double(contender->lastLevel()) / double(options.curvePoints);
      launches += options.curvePoints * 4 + static_cast<int64_t>(std::log2(perCurveStep + 1)) + 1 + repetitions;
    }
    Progress progress("fit", launches);
    options.onLaunch = [&] { progress.advance(); };
    auto timeExact = [&]() -> Result<double> {
      TERCET_TRY(LaunchReport report, exact.launch(exactCall, exactOutputs));
      return report.totalMs;
    };
    return tune::fit(borrowed, timeExact, options);
  }

  Result<ExitCode> print(const FitReport &report, const CallData &call, const Executor &exact) const {
    Json object = {{"command", "fit"},
                   {"target", exact.target()},
                   {"threads", exact.threads()},
                   {"dtype", dtypeName(call.sizes.dtype)},
                   {"shape", call.shapeJson()}};
    if (!shapeOption.empty())
      object["seed"] = seed;
    object.update(report.json());
    if (!picture.empty()) {
      TERCET_RETURN_IF_ERROR(compiler::writePng(picture, report.picture()));
      object["outputs"]["curve"] = picture;
    }
    if (report.result.best && !specOut.empty())
      TERCET_RETURN_IF_ERROR(writeSpec(report, object["outputs"]));
    TERCET_RETURN_IF_ERROR(json ? printJson(object) : printText(FitReport::text(object)));
    warn(report);
    return report.result.best ? exitOk : exitInput;
  }

  Status writeSpec(const FitReport &report, Json &outputs) const {
    const FitContender &best = *report.contenders[*report.result.best];
    std::string tableFile =
        std::filesystem::path(specOut).replace_extension(best.parameter().table() + ".npy").string();
    TERCET_TRY(compiler::StoredTensor table, best.table(report.result.contenders[*report.result.best].levels));
    TERCET_RETURN_IF_ERROR(compiler::writeTensors(tableFile, {{best.parameter().table(), table.view}}));
    std::string text = report.specText(std::filesystem::path(tableFile).filename().string());
    TERCET_RETURN_IF_ERROR(writeFileAtomically(specOut, {reinterpret_cast<const uint8_t *>(text.data()), text.size()}));
    outputs["spec"] = specOut;
    outputs[best.parameter().table()] = tableFile;
    return {};
  }

  void warn(const FitReport &report) const {
    const tune::FitResult &result = report.result;
    if (!result.best) {
      printWarning(fmt::format(
          "no candidate keeps every head's error within {:g}; the nearest is {}, whose worst head has {:.3g}{}",
          maxError, report.contenders[result.nearest]->name(), result.contenders[result.nearest].errors.worst(),
          specOut.empty() ? "" : "; no spec is written"));
      return;
    }
    if (result.contenders[*result.best].times.median() >= result.exact.median())
      printWarning(fmt::format("{} itself is no slower than what was found", report.against));
    for (size_t index = 0; index < report.contenders.size(); ++index)
      if (double rise = result.contenders[index].largestRise; rise > 0.1 * maxError)
        printWarning(
            fmt::format("{}: the error of a head rose by {:.3g} where more was kept; a smaller value than the one "
                        "found may do, too",
                        report.contenders[index]->name(), rise));
  }

  std::vector<std::string> specs, settings, in;
  std::string against = "dense", maxErrorOption = "0.05", shapeOption, targetOption = "cpu", dtypeOption, picture,
              specOut;
  int64_t seed = 0, repetitions = 7, budgetSeconds = 120;
  bool noCache = false, json = false;
  TargetName target;
  double maxError = 0;
};

} // namespace

std::unique_ptr<Command> makeFitCommand() { return std::make_unique<FitCommand>(); }

} // namespace tercet::cli
