// Long sequences: dense takes seconds, so few rounds, each with dense and the sparse specs in turn.
#include "Suites.h"
#include "Workload.h"

#include <fmt/core.h>

#include <algorithm>
#include <thread>

namespace tercet::bench {
namespace {

double stageMs(const LaunchReport &report, const std::string &stage) {
  double sum = 0;
  for (const auto &[name, ms] : report.stageMs)
    if (name == stage)
      sum += ms;
  return sum;
}

/// Executed operations per millisecond of the attend stage.
double attendRate(const LaunchReport &report) {
  auto flops = report.stageFlops.find("attend");
  return flops == report.stageFlops.end() ? 0 : flops->second / stageMs(report, "attend");
}

void slaCase(ResultFile &results, const SuiteOptions &options, const Shape &shape, int threads, Data data) {
  Workload workload(shape, data);
  auto session = makeSession(threads);
  const std::vector<std::string> specs = {"dense", "sla", "sla_all"};
  std::vector<Call> calls;
  for (const std::string &spec : specs)
    calls.emplace_back(*session, workload, spec);
  std::vector<std::function<void()>> contenders;
  for (Call &call : calls)
    contenders.push_back([&call] { call(); });

  std::vector<std::vector<LaunchReport>> reports(calls.size());
  RepeatOptions repeat;
  repeat.repetitions = options.repetitions(7);
  repeat.threads = threads;
  repeat.waitLimit = 0.03; // seconds long: some waiting is always there
  repeat.afterKept = [&](size_t i) { reports[i].push_back(calls[i].report()); };
  std::vector<Series> series = interleave(contenders, repeat);

  std::string where = fmt::format("{}, {} thread{}, {}", shape.text(), threads, threads == 1 ? "" : "s",
                                  data == Data::random ? "random" : "smooth");
  auto add = [&](size_t i, const std::string &metric, auto valueOfRound, std::optional<Bar> bar = {}) {
    Row row{specs[i] + ": " + where, metric, {}, series[i].retaken, series[i].disturbed, bar, ""};
    for (size_t round = 0; round < series[i].seconds.size(); ++round)
      row.values.push_back(valueOfRound(round));
    results.add(row);
  };
  add(0, "fraction of FMA peak", [&](size_t r) { return series[0].fractions(shape.denseFlops())[r]; });
  for (size_t i = 1; i < calls.size(); ++i) {
    bool paper = specs[i] == "sla";
    add(
        i, "speed against own dense", [&](size_t r) { return series[0].seconds[r] / series[i].seconds[r]; },
        paper ? options.atLeast(10.5) : std::nullopt);
    add(
        i, "attend, rate per executed FLOP against dense",
        [&](size_t r) { return attendRate(reports[i][r]) / attendRate(reports[0][r]); },
        paper ? options.atLeast(0.80) : std::nullopt);
    add(
        i, "selection, share of the call",
        [&](size_t r) { return stageMs(reports[i][r], "select") / (series[i].seconds[r] * 1e3); },
        paper ? options.atMost(0.05) : std::nullopt);
    add(i, "ms", [&](size_t r) { return series[i].seconds[r] * 1e3; });
    std::vector<std::string> seen;
    for (const auto &entry : reports[i][0].stageMs) {
      const std::string &stage = entry.first;
      if (std::find(seen.begin(), seen.end(), stage) != seen.end())
        continue;
      seen.push_back(stage);
      add(i, stage + ", ms", [&](size_t r) { return stageMs(reports[i][r], stage); });
    }
    const LaunchReport &counts = reports[i][0];
    double blocks = static_cast<double>(counts.criticalBlocks + counts.marginalBlocks + counts.negligibleBlocks);
    if (blocks > 0)
      add(i, "blocks exact, share", [&](size_t) { return static_cast<double>(counts.criticalBlocks) / blocks; });
  }
}

} // namespace

ResultFile slaSuite(const SuiteOptions &options) {
  ResultFile results("sla", options.command);
  int all = static_cast<int>(std::thread::hardware_concurrency());
  Shape shape;
  shape.tokens = options.quick ? 4096 : 32760;
  shape.headDim = 128;
  for (int64_t heads : {1, 4})
    for (int threads : {1, all}) {
      shape.heads = heads;
      if (heads == 1 || threads == all)
        slaCase(results, options, shape, threads, Data::random);
      if (all == 1)
        break;
    }
  shape.heads = 1;
  slaCase(results, options, shape, all, Data::smooth);
  return results;
}

} // namespace tercet::bench
