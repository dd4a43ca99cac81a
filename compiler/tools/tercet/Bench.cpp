// tercet bench: a spec's time beside dense attention and beside what the machine could do, all from one run. Every
// repetition times the spec and then dense, each between two probes of the multiply-add peak, so that clock changes and
// neighbours meet both alike. With --grad these are a forward and its backward, each between probes. On a GPU times are
// those between events and there are no probes; the simulator runs once, for its counts.
#include "BenchReport.h"
#include "Command.h"
#include "Progress.h"
#include "RunOptions.h"

#include "tercet/rt/FmaProbe.h"

#include <chrono>

namespace tercet::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int64_t fewestRepetitions = 3;

class BenchCommand final : public Command {
public:
  std::string name() const override { return "bench"; }
  std::string summary() const override { return "time a spec beside dense attention and the machine's peak"; }
  void declare(Options &options) override {
    spec.declare(options);
    options.text("--shape", shapeOption, "b=1,h=12,n=32760,d=128[,m=,hkv=,dv=]", "the shape of the seeded data");
    options.text("--target", targetOption, "T", "cpu, cpu:v4, cpu:v3, cpu:portable, cuda[:N] or sim:ARCH");
    options.choice("--dtype", dtypeOption, {"f32", "f16", "bf16"}, "compute input type (default f32)");
    schedules.declare(options);
    options.wholeNumber("--seed", seed, 0, INT64_MAX, "seed of the data (default 0)");
    options.wholeNumber("--repetitions", repetitions, fewestRepetitions, 100000, "timed repetitions (default 21)");
    options.wholeNumber("--budget", budgetSeconds, 1, 86400,
                        "seconds after which no further repetition begins, after the first three (default 120)");
    options.flag("--grad", grad, "time the forward for a backward, and the backward");
    options.flag("--no-dense", noDense, "leave dense attention out");
    options.json(json);
  }

  Result<ExitCode> run() override {
    TERCET_TRY(TargetName target, parseTarget(targetOption));
    TERCET_TRY(ScheduleRequest named, schedules.resolve());
    if (target.kind == TargetName::Kind::reference)
      return Status::make(Code::unsupportedTarget, "the reference is made for being right, not for timing; legal are "
                                                   "cpu, cpu:v4, cpu:v3, cpu:portable, cuda[:N] and sim:ARCH");
    TERCET_RETURN_IF_ERROR(checkRunsHere(target));
    TERCET_TRY(LoadedSpec loaded, loadSpec(spec));
    if (shapeOption.empty())
      return Status::make(Code::invalidArgument, "--shape is missing: the size to time");
    TERCET_TRY(reference::Shape shape, parseShape(shapeOption));
    TERCET_TRY(LoadedSpec denseSpec, loadSpec({.spec = "dense", .settings = {}}));
    bool isDense = loaded.info.canonicalText == denseSpec.info.canonicalText;

    TERCET_TRY(Timed own, prepare(loaded, shape, target, named));
    std::optional<Timed> dense;
    bool simulated = target.kind == TargetName::Kind::simulator;
    if (!noDense && !isDense && !simulated) {
      TERCET_TRY(dense, prepare(denseSpec, shape, target, {{}, named.deterministic}));
    }
    TERCET_RETURN_IF_ERROR(measure(own, dense));
    Json object = {{"command", "bench"},
                   {"spec", loaded.info.name},
                   {"dtype", dtypeName(dtype())},
                   {"shape", own.call.shapeJson()},
                   {"settings", loaded.settingsJson()},
                   {"seed", seed}};
    object.update(executorJson(*own.executor));
    object.update(launchJson(own.repetitions.front().front().report, loaded.info.classifies()));
    bool isOwnDense = isDense && !own.executor->device();
    TERCET_RETURN_IF_ERROR(addMeasures(object, own, dense ? &*dense : isOwnDense ? &own : nullptr));
    TERCET_RETURN_IF_ERROR(json ? printJson(object) : printText(benchText(object)));
    return exitOk;
  }

private:
  DType dtype() const {
    DType parsed = DType::f32;
    parseDType(dtypeOption, parsed);
    return parsed;
  }

  Result<Timed> prepare(const LoadedSpec &loaded, const reference::Shape &shape, const TargetName &target,
                        const ScheduleRequest &named) const {
    Timed timed;
    TERCET_TRY(timed.call, makeInputs(loaded, shape,
                                      {.seed = static_cast<uint64_t>(seed), .dtype = dtype(), .withGradient = grad}));
    TERCET_TRY(timed.executor, makeExecutor(loaded, {.target = target,
                                                     .headDim = shape.headDim,
                                                     .valueDim = shape.valueDim,
                                                     .dtype = dtype(),
                                                     .grad = grad,
                                                     .schedules = named,
                                                     .expected = expectedCall(loaded, timed.call)}));
    std::vector<std::string> names = {"o"};
    if (grad) {
      for (const std::string &name : gradientsOf(loaded, timed.call)) {
        if (timed.executor->makesGradient(name))
          names.push_back(name);
        else
          printWarning(fmt::format("'{}' makes no gradient '{}' yet, so it is not timed", targetOption, name));
      }
    }
    TERCET_TRY(timed.outputs, makeOutputs(timed.call, names));
    TERCET_TRY(timed.parts, timed.executor->partsOf(timed.call, timed.outputs));
    return timed;
  }

  static Status launchOn(const CallPart &part, LaunchReport &report) {
    TERCET_TRY(report, part.executor->launch(part.call, part.outputs));
    return {};
  }

  static Status repeat(Timed &timed, const rt::ProbeOptions &probe) {
    Repetition repetition(timed.parts.size());
    for (size_t part = 0; part < repetition.size(); ++part) {
      auto &[report, peak] = repetition[part];
      Status launched;
      auto launch = [&, &report = report] { launched = launchOn(timed.parts[part], report); };
      if (timed.executor->device())
        launch();
      else
        peak = rt::timeBracketed(launch, probe).peak();
      TERCET_RETURN_IF_ERROR(std::move(launched));
    }
    timed.repetitions.push_back(std::move(repetition));
    return {};
  }

  Status measure(Timed &own, std::optional<Timed> &dense) const {
    rt::ProbeOptions probe{.threads = own.executor->threads()};
    if (own.executor->device() && !own.executor->device()->properties().runsCubin)
      return repeat(own, probe);
    Progress progress("bench", repetitions);
    for (Timed *timed : {&own, dense ? &*dense : nullptr}) // first touch of pages and caches
      if (timed)
        for (const CallPart &part : timed->parts)
          TERCET_RETURN_IF_ERROR(part.executor->launch(part.call, part.outputs).takeStatus());
    Clock::time_point begin = Clock::now();
    for (int64_t done = 0; done < repetitions; ++done) {
      double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
      if (done >= fewestRepetitions && seconds > static_cast<double>(budgetSeconds))
        break;
      TERCET_RETURN_IF_ERROR(repeat(own, probe));
      if (dense)
        TERCET_RETURN_IF_ERROR(repeat(*dense, probe));
      progress.advance();
    }
    return {};
  }

  SpecOptions spec;
  ScheduleOptions schedules;
  std::string shapeOption, targetOption = "cpu", dtypeOption = "f32";
  int64_t seed = 0, repetitions = 21, budgetSeconds = 120;
  bool grad = false, noDense = false, json = false;
};

} // namespace

std::unique_ptr<Command> makeBenchCommand() { return std::make_unique<BenchCommand>(); }

} // namespace tercet::cli
