// tercet bench: a spec's time beside dense attention and beside what the machine could do, all from one run. Every
// repetition times the spec and then dense, each between two probes of the multiply-add peak, so that clock changes and
// neighbours meet both alike. On a GPU times are those between events and there are no probes; the simulator runs once, for
// its counts.
#include "Command.h"
#include "MemoryProbe.h"
#include "Progress.h"
#include "RunOptions.h"

#include "tercet/rt/FmaProbe.h"
#include "tercet/rt/PlanEstimate.h"

#include <algorithm>
#include <chrono>
#include <numeric>

namespace tercet::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int64_t fewestRepetitions = 3;

struct Quartiles {
  double low = 0, median = 0, high = 0;
  Json json() const { return Json::array({low, median, high}); }
};

Quartiles quartilesOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  auto at = [&](double share) {
    double position = share * static_cast<double>(values.size() - 1);
    size_t below = static_cast<size_t>(position), above = std::min(below + 1, values.size() - 1);
    return values[below] + (position - static_cast<double>(below)) * (values[above] - values[below]);
  };
  return {at(0.25), at(0.5), at(0.75)};
}

/// One contender: its executor and what its repetitions gave.
struct Timed {
  std::unique_ptr<Executor> executor;
  CallData call;
  CallOutputs outputs;
  std::vector<double> ms, peak;
  std::vector<LaunchReport> reports;

  double flops() const {
    double sum = 0;
    for (const auto &[stage, flops] : reports.front().stageFlops)
      sum += flops;
    return sum;
  }
  Quartiles fractions() const {
    std::vector<double> values;
    for (size_t i = 0; i < ms.size(); ++i)
      values.push_back(flops() / (ms[i] * 1e-3 * peak[i]));
    return quartilesOf(values);
  }
};

class BenchCommand final : public Command {
public:
  std::string name() const override { return "bench"; }
  std::string summary() const override { return "time a spec beside dense attention and the machine's peak"; }
  void declare(Options &options) override {
    spec.declare(options);
    options.text("--shape", shapeOption, "b=1,h=12,n=32760,d=128[,m=,hkv=,dv=]", "the shape of the seeded data");
    options.text("--target", targetOption, "T", "cpu, cpu:v4, cpu:v3, cpu:portable, cuda[:N] or sim:ARCH");
    options.choice("--dtype", dtypeOption, {"f32", "f16", "bf16"}, "compute input type (default f32)");
    options.wholeNumber("--seed", seed, 0, INT64_MAX, "seed of the data (default 0)");
    options.wholeNumber("--repetitions", repetitions, fewestRepetitions, 100000, "timed repetitions (default 21)");
    options.wholeNumber("--budget", budgetSeconds, 1, 86400,
                        "seconds after which no further repetition begins, after the first three (default 120)");
    options.flag("--no-dense", noDense, "leave dense attention out");
    options.json(json);
  }

  Result<ExitCode> run() override {
    TERCET_TRY(TargetName target, parseTarget(targetOption));
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

    TERCET_TRY(Timed own, prepare(loaded, shape, target));
    std::optional<Timed> dense;
    bool simulated = target.kind == TargetName::Kind::simulator;
    if (!noDense && !isDense && !simulated) {
      TERCET_TRY(dense, prepare(denseSpec, shape, target));
    }
    TERCET_RETURN_IF_ERROR(measure(own, dense));
    TERCET_TRY(Json object, describe(loaded, own, dense, isDense));
    TERCET_RETURN_IF_ERROR(json ? printJson(object) : printText(summarise(object)));
    return exitOk;
  }

private:
  DType dtype() const {
    DType parsed = DType::f32;
    parseDType(dtypeOption, parsed);
    return parsed;
  }

  Result<Timed> prepare(const LoadedSpec &loaded, const reference::Shape &shape, const TargetName &target) const {
    Timed timed;
    TERCET_TRY(timed.call, makeInputs(loaded, shape, {.seed = static_cast<uint64_t>(seed), .dtype = dtype()}));
    TERCET_TRY(timed.outputs, makeOutputs(timed.call, {"o"}));
    TERCET_TRY(timed.executor,
               makeExecutor(
                   loaded, {.target = target, .headDim = shape.headDim, .valueDim = shape.valueDim, .dtype = dtype()}));
    return timed;
  }

  static Status launchOn(Timed &timed) {
    TERCET_TRY(LaunchReport report, timed.executor->launch(timed.call, timed.outputs));
    timed.ms.push_back(report.totalMs);
    timed.reports.push_back(std::move(report));
    return {};
  }

  Status repeat(Timed &timed, const rt::ProbeOptions &probe) const {
    if (timed.executor->device())
      return launchOn(timed);
    LaunchReport report;
    Status launched;
    rt::BracketedTime time = rt::timeBracketed(
        [&] {
          Result<LaunchReport> result = timed.executor->launch(timed.call, timed.outputs);
          if (result.ok())
            report = *std::move(result);
          else
            launched = result.takeStatus();
        },
        probe);
    TERCET_RETURN_IF_ERROR(std::move(launched));
    timed.ms.push_back(report.totalMs);
    timed.peak.push_back(time.peak());
    timed.reports.push_back(std::move(report));
    return {};
  }

  Status measure(Timed &own, std::optional<Timed> &dense) const {
    if (own.executor->device() && !own.executor->device()->properties().runsCubin)
      return launchOn(own);
    rt::ProbeOptions probe{.threads = own.executor->threads()};
    Progress progress("bench", repetitions);
    for (Timed *timed : {&own, dense ? &*dense : nullptr}) // first touch of pages and caches
      if (timed)
        TERCET_RETURN_IF_ERROR(timed->executor->launch(timed->call, timed->outputs).takeStatus());
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

  Result<Json> describe(const LoadedSpec &loaded, const Timed &own, const std::optional<Timed> &dense,
                        bool isDense) const {
    const LaunchReport &first = own.reports.front();
    Arguments tensors = own.call.arguments;
    tensors.tensors.insert(tensors.tensors.end(), own.outputs.arguments.tensors.begin(),
                           own.outputs.arguments.tensors.end());
    TERCET_TRY(rt::PlanEstimate estimate,
               rt::estimatePlan(*own.executor->artifact(), *own.executor->module(), tensors,
                                {first.criticalBlocks, first.marginalBlocks, first.negligibleBlocks},
                                own.executor->threads()));
    bool onGpu = own.executor->device() != nullptr;
    double peak = onGpu ? 0 : quartilesOf(own.peak).median;
    double bandwidth = onGpu ? 0 : measureReadBandwidth(own.executor->threads());
    double floorMs = 0;
    Json stages = Json::array();
    for (size_t stage = 0; stage < first.stageMs.size(); ++stage) {
      const std::string &stageName = first.stageMs[stage].first;
      std::vector<double> ms;
      for (const LaunchReport &report : own.reports)
        ms.push_back(report.stageMs[stage].second);
      double bytes = 0;
      for (const rt::NodeEstimate &node : estimate.nodes)
        bytes += node.stage == stageName ? node.bytes : 0;
      auto flops = first.stageFlops.find(stageName);
      double executed = flops == first.stageFlops.end() ? 0 : flops->second;
      if (!onGpu)
        floorMs += 1e3 * std::max(executed / peak, bytes / bandwidth);
      stages.push_back({{"stage", stageName}, {"ms", quartilesOf(ms).median}, {"flop", executed}, {"bytes", bytes}});
    }

    Quartiles ms = quartilesOf(own.ms);
    Json object = {{"command", "bench"},
                   {"spec", loaded.info.name},
                   {"dtype", dtypeName(dtype())},
                   {"shape", own.call.shapeJson()},
                   {"settings", loaded.settingsJson()},
                   {"seed", seed}};
    object.update(executorJson(*own.executor));
    object.update(launchJson(first, loaded.info.classifies()));
    object["repetitions"] = own.ms.size();
    object["ms"] = ms.median;
    object["ms_quartiles"] = ms.json();
    object["stages"] = std::move(stages);
    object["executed_tflops"] = own.flops() / (ms.median * 1e9);
    if (!onGpu) {
      object["peak_tflops"] = peak / 1e12;
      object["read_gb_per_s"] = bandwidth / 1e9;
      object["fraction_of_peak"] = own.fractions().median;
      object["fraction_of_peak_quartiles"] = own.fractions().json();
      object["floor_ms"] = floorMs;
      object["fraction_of_floor"] = floorMs / ms.median;
    }
    object["workspace_bytes"] = estimate.workspaceBytes;
    if (dense || (isDense && !own.executor->device())) {
      std::vector<double> speedups;
      for (size_t i = 0; i < own.ms.size(); ++i)
        speedups.push_back((dense ? dense->ms[i] : own.ms[i]) / own.ms[i]);
      Quartiles denseMs = dense ? quartilesOf(dense->ms) : ms;
      object["dense_ms"] = denseMs.median;
      object["dense_ms_quartiles"] = denseMs.json();
      if (!onGpu)
        object["dense_fraction_of_peak"] = (dense ? dense->fractions() : own.fractions()).median;
      object["speedup_vs_dense"] = quartilesOf(speedups).median;
      object["speedup_vs_dense_quartiles"] = quartilesOf(speedups).json();
    }
    return object;
  }

  static std::string summarise(const Json &object) {
    auto number = [&](const char *key) { return object[key].get<double>(); };
    bool onGpu = object.contains("device");
    std::string text =
        fmt::format("{} on {}, {} {}, {}: {:.3f} ms (median of {}, quartiles {:.3f} to {:.3f})\n",
                    object["spec"].get<std::string>(), object["target"].get<std::string>(),
                    object["threads"].get<int>(), onGpu ? "multiprocessors" : "threads",
                    object["dtype"].get<std::string>(), number("ms"), object["repetitions"].get<size_t>(),
                    object["ms_quartiles"][0].get<double>(), object["ms_quartiles"][2].get<double>());
    for (const Json &stage : object["stages"])
      text += fmt::format("  {:<11} {:>10.3f} ms {:>12.1f} MFLOP {:>10.1f} MiB touched\n",
                          stage["stage"].get<std::string>(), stage["ms"].get<double>(),
                          stage["flop"].get<double>() / 1e6, stage["bytes"].get<double>() / (1 << 20));
    if (onGpu)
      return text + fmt::format("executed {:.4f} TFLOP/s\n", number("executed_tflops")) + denseText(object) +
             countsText(object);
    text +=
        fmt::format("executed {:.4f} TFLOP/s, {:.3f} of the multiply-add peak ({:.3f} TFLOP/s, measured around every "
                    "repetition); floor {:.3f} ms, {:.3f} of it reached\n",
                    number("executed_tflops"), number("fraction_of_peak"), number("peak_tflops"), number("floor_ms"),
                    number("fraction_of_floor"));
    return text + denseText(object);
  }

  static std::string denseText(const Json &object) {
    if (!object.contains("dense_ms"))
      return "";
    auto number = [&](const char *key) { return object[key].get<double>(); };
    std::string peak = object.contains("dense_fraction_of_peak")
                           ? fmt::format(" ({:.3f} of peak)", number("dense_fraction_of_peak"))
                           : "";
    return fmt::format("dense {:.3f} ms{}: {:.2f} x faster (quartiles {:.2f} to {:.2f})\n", number("dense_ms"), peak,
                       number("speedup_vs_dense"), object["speedup_vs_dense_quartiles"][0].get<double>(),
                       object["speedup_vs_dense_quartiles"][2].get<double>());
  }

  SpecOptions spec;
  std::string shapeOption, targetOption = "cpu", dtypeOption = "f32";
  int64_t seed = 0, repetitions = 21, budgetSeconds = 120;
  bool noDense = false, json = false;
};

} // namespace

std::unique_ptr<Command> makeBenchCommand() { return std::make_unique<BenchCommand>(); }

} // namespace tercet::cli
