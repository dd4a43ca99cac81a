#include "BenchReport.h"

#include "MemoryProbe.h"

#include "tercet/rt/PlanEstimate.h"

#include <algorithm>

namespace tercet::cli {
namespace {

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

/// Consecutive parts of a contender, which are told as one.
struct Parts {
  const Timed &timed;
  size_t first, count;

  /// The sum over the parts of a repetition.
  template <typename Of> double sum(const Repetition &repetition, Of of) const {
    double all = 0;
    for (size_t part = first; part < first + count; ++part)
      all += of(repetition[part]);
    return all;
  }
  template <typename Of> std::vector<double> each(Of of) const {
    std::vector<double> values;
    for (const Repetition &repetition : timed.repetitions)
      values.push_back(of(repetition));
    return values;
  }

  std::vector<double> ms() const {
    return each([&](const Repetition &repetition) {
      return sum(repetition, [](const TimedPart &part) { return part.report.totalMs; });
    });
  }
  double flops() const {
    return sum(timed.repetitions.front(), [](const TimedPart &part) {
      double all = 0;
      for (const auto &[stage, flops] : part.report.stageFlops)
        all += flops;
      return all;
    });
  }
  /// The mean of the parts' peaks by their times: what the machine could have done per second.
  std::vector<double> peaks() const {
    return each([&](const Repetition &repetition) {
      return sum(repetition, [](const TimedPart &part) { return part.report.totalMs * part.peak; }) /
             sum(repetition, [](const TimedPart &part) { return part.report.totalMs; });
    });
  }
  Quartiles fractions() const {
    std::vector<double> values = ms(), peak = peaks();
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = flops() / (values[i] * 1e-3 * peak[i]);
    return quartilesOf(values);
  }
};

/// What a part's stages come to.
struct Stages {
  Json list = Json::array();
  double floorMs = 0;
  int64_t workspaceBytes = 0;
};

/// peak and bandwidth: 0 where they were not measured.
Result<Stages> stagesOf(const Timed &timed, size_t part, double peak, double bandwidth) {
  const CallPart &call = timed.parts[part];
  const LaunchReport &report = timed.repetitions.front()[part].report;
  const Artifact &artifact = *call.executor->artifact();
  TERCET_TRY(rt::PlanEstimate estimate,
             rt::estimatePlan(
                 artifact, *call.executor->module(), planArguments(artifact.signature(), call.call, call.outputs),
                 {report.criticalBlocks, report.marginalBlocks, report.negligibleBlocks}, call.executor->threads()));
  Stages stages;
  stages.workspaceBytes = estimate.workspaceBytes;
  for (size_t stage = 0; stage < report.stageMs.size(); ++stage) {
    const std::string &name = report.stageMs[stage].first;
    std::vector<double> ms;
    for (const Repetition &repetition : timed.repetitions)
      ms.push_back(repetition[part].report.stageMs[stage].second);
    double bytes = 0;
    for (const rt::NodeEstimate &node : estimate.nodes)
      bytes += node.stage == name ? node.bytes : 0;
    auto flops = report.stageFlops.find(name);
    double executed = flops == report.stageFlops.end() ? 0 : flops->second;
    if (peak > 0)
      stages.floorMs += 1e3 * std::max(executed / peak, bytes / bandwidth);
    stages.list.push_back({{"stage", name}, {"ms", quartilesOf(ms).median}, {"flop", executed}, {"bytes", bytes}});
  }
  return stages;
}

void addTimes(Json &object, const Parts &own, Stages stages, double peak, double bandwidth) {
  Quartiles ms = quartilesOf(own.ms());
  object["ms"] = ms.median;
  object["ms_quartiles"] = ms.json();
  object["stages"] = std::move(stages.list);
  object["executed_tflops"] = own.flops() / (ms.median * 1e9);
  if (peak > 0) {
    object["peak_tflops"] = peak / 1e12;
    object["read_gb_per_s"] = bandwidth / 1e9;
    object["fraction_of_peak"] = own.fractions().median;
    object["fraction_of_peak_quartiles"] = own.fractions().json();
    object["floor_ms"] = stages.floorMs;
    object["fraction_of_floor"] = stages.floorMs / ms.median;
  }
  object["workspace_bytes"] = stages.workspaceBytes;
}

void addDense(Json &object, const Parts &own, const Parts &dense, double peak) {
  std::vector<double> ownMs = own.ms(), denseMs = dense.ms(), speedups;
  for (size_t i = 0; i < ownMs.size(); ++i)
    speedups.push_back(denseMs[i] / ownMs[i]);
  object["dense_ms"] = quartilesOf(denseMs).median;
  object["dense_ms_quartiles"] = quartilesOf(denseMs).json();
  if (peak > 0)
    object["dense_fraction_of_peak"] = dense.fractions().median;
  object["speedup_vs_dense"] = quartilesOf(speedups).median;
  object["speedup_vs_dense_quartiles"] = quartilesOf(speedups).json();
}

double numberOf(const Json &object, const char *key) { return object[key].get<double>(); }

std::string stagesText(const Json &stages) {
  std::string text;
  for (const Json &stage : stages)
    text +=
        fmt::format("  {:<11} {:>10.3f} ms {:>12.1f} MFLOP {:>10.1f} MiB touched\n", stage["stage"].get<std::string>(),
                    numberOf(stage, "ms"), numberOf(stage, "flop") / 1e6, numberOf(stage, "bytes") / (1 << 20));
  return text;
}

std::string timesText(const char *name, const Json &object) {
  std::string text =
      fmt::format("{}: {:.3f} ms, {:.4f} TFLOP/s", name, numberOf(object, "ms"), numberOf(object, "executed_tflops"));
  if (object.contains("fraction_of_peak"))
    text += fmt::format(", {:.3f} of peak", numberOf(object, "fraction_of_peak"));
  if (object.contains("dense_ms"))
    text += fmt::format("; dense {:.3f} ms: {:.2f} x faster", numberOf(object, "dense_ms"),
                        numberOf(object, "speedup_vs_dense"));
  return text + "\n" + stagesText(object["stages"]);
}

std::string denseText(const Json &object) {
  if (!object.contains("dense_ms"))
    return "";
  std::string peak = object.contains("dense_fraction_of_peak")
                         ? fmt::format(" ({:.3f} of peak)", numberOf(object, "dense_fraction_of_peak"))
                         : "";
  return fmt::format("dense {:.3f} ms{}: {:.2f} x faster (quartiles {:.2f} to {:.2f})\n", numberOf(object, "dense_ms"),
                     peak, numberOf(object, "speedup_vs_dense"), object["speedup_vs_dense_quartiles"][0].get<double>(),
                     object["speedup_vs_dense_quartiles"][2].get<double>());
}

} // namespace

Status addMeasures(Json &object, const Timed &own, const Timed *dense) {
  bool onGpu = own.executor->device() != nullptr;
  size_t count = own.parts.size();
  double bandwidth = onGpu ? 0 : measureReadBandwidth(own.executor->threads());
  auto peakOf = [&](const Parts &parts) { return onGpu ? 0 : quartilesOf(parts.peaks()).median; };
  Stages all;
  for (size_t part = 0; part < count; ++part) {
    double peak = peakOf({own, part, 1});
    TERCET_TRY(Stages stages, stagesOf(own, part, peak, bandwidth));
    const char *direction = own.parts[part].direction == Direction::backward ? "backward" : "forward";
    for (Json stage : stages.list) {
      if (count > 1)
        stage["direction"] = direction;
      all.list.push_back(std::move(stage));
    }
    all.floorMs += stages.floorMs;
    all.workspaceBytes = std::max(all.workspaceBytes, stages.workspaceBytes);
    if (count == 1)
      continue;
    Json &entry = object[direction];
    addTimes(entry, {own, part, 1}, std::move(stages), peak, bandwidth);
    if (dense)
      addDense(entry, {own, part, 1}, {*dense, part, 1}, peak);
  }
  object["repetitions"] = own.repetitions.size();
  double peak = peakOf({own, 0, count});
  addTimes(object, {own, 0, count}, std::move(all), peak, bandwidth);
  if (dense)
    addDense(object, {own, 0, count}, {*dense, 0, count}, peak);
  return {};
}

std::string benchText(const Json &object) {
  bool onGpu = object.contains("device"), both = object.contains("forward");
  std::string text = fmt::format("{}{} on {}, {} {}, {}: {:.3f} ms (median of {}, quartiles {:.3f} to {:.3f})\n",
                                 object["spec"].get<std::string>(), both ? ", forward and backward," : "",
                                 object["target"].get<std::string>(), object["threads"].get<int>(),
                                 onGpu ? "multiprocessors" : "threads", object["dtype"].get<std::string>(),
                                 numberOf(object, "ms"), object["repetitions"].get<size_t>(),
                                 object["ms_quartiles"][0].get<double>(), object["ms_quartiles"][2].get<double>());
  if (both)
    text += timesText("forward", object["forward"]) + timesText("backward", object["backward"]);
  else
    text += stagesText(object["stages"]);
  if (onGpu)
    return text + fmt::format("executed {:.4f} TFLOP/s\n", numberOf(object, "executed_tflops")) + denseText(object) +
           countsText(object) + (both ? countsText(object["backward"]) : "");
  text +=
      fmt::format("executed {:.4f} TFLOP/s, {:.3f} of the multiply-add peak ({:.3f} TFLOP/s, measured around every "
                  "repetition); floor {:.3f} ms, {:.3f} of it reached\n",
                  numberOf(object, "executed_tflops"), numberOf(object, "fraction_of_peak"),
                  numberOf(object, "peak_tflops"), numberOf(object, "floor_ms"), numberOf(object, "fraction_of_floor"));
  return text + denseText(object);
}

} // namespace tercet::cli
