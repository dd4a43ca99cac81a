// Contenders take turns within a round, so drift and neighbours hit all alike; ratios are formed per round.
#include "../baselines/FlashBaseline.h"
#include "Suites.h"

#include <fmt/core.h>

#include <cmath>
#include <stdexcept>
#include <thread>

namespace tercet::bench {
namespace {

constexpr double errorLimit = 1e-5; // f32 on unit normal data; both sides are near 1e-7

void checkAnswer(const std::string &who, Workload &workload, const std::function<void()> &run) {
  run();
  if (double error = workload.denseError(); !(error <= errorLimit))
    throw std::runtime_error(fmt::format("{} is off by {:.2e} at {}", who, error, workload.shape.text()));
}

void denseCase(ResultFile &results, const SuiteOptions &options, const Shape &shape, int threads) {
  Workload workload(shape);
  auto session = makeSession(threads);
  Call call(*session, workload, "dense");
  std::vector<GemmLibrary> libraries = gemmLibraries();
  std::vector<std::unique_ptr<FlashBaseline>> baselines;
  std::vector<std::function<void()>> contenders = {[&] { call(); }};
  for (const GemmLibrary &library : libraries) {
    auto baseline = std::make_unique<FlashBaseline>(library, threads, shape.headDim);
    contenders.push_back([run = baseline.get(), &workload, &shape] {
      run->run({shape.batch * shape.heads, shape.tokens, shape.headDim, workload.q(), workload.k(), workload.v(),
                workload.o()});
    });
    baselines.push_back(std::move(baseline));
  }
  checkAnswer("tercet", workload, contenders[0]);
  for (size_t i = 0; i < libraries.size(); ++i)
    checkAnswer(libraries[i].name, workload, contenders[i + 1]);

  RepeatOptions repeat;
  repeat.repetitions = options.repetitions(21);
  repeat.threads = threads;
  std::vector<Series> series = interleave(contenders, repeat);
  std::string name = fmt::format("{}, {} thread{}", shape.text(), threads, threads == 1 ? "" : "s");
  results.add({name, "tercet, fraction of FMA peak", series[0].fractions(shape.denseFlops()), series[0].retaken,
               series[0].disturbed, options.atLeast(0.85), ""});
  std::vector<double> best(series[0].seconds.size(), INFINITY); // medians decide who is best, not single rounds
  double bestMedian = INFINITY;
  std::string bestName;
  for (size_t i = 0; i < libraries.size(); ++i) {
    const Series &other = series[i + 1];
    results.add({name,
                 libraries[i].name + ", fraction of peak",
                 other.fractions(shape.denseFlops()),
                 other.retaken,
                 other.disturbed,
                 {},
                 ""});
    if (double median = quartilesOf(other.seconds).median; median < bestMedian) {
      bestMedian = median;
      best = other.seconds;
      bestName = libraries[i].name;
    }
  }
  if (libraries.empty())
    return;
  std::vector<double> ratio;
  for (size_t round = 0; round < best.size(); ++round)
    ratio.push_back(best[round] / series[0].seconds[round]);
  results.add({name, "speed against the fastest baseline", ratio, series[0].retaken, series[0].disturbed,
               options.atLeast(1.05), bestName});
}

} // namespace

void eachDenseCall(const SuiteOptions &options, const std::function<void(const Shape &, int threads)> &run) {
  int all = static_cast<int>(std::thread::hardware_concurrency());
  for (int64_t headDim : {64, 128})
    for (int threads : {1, all}) {
      Shape shape;
      shape.tokens = options.quick ? 1024 : 4096;
      shape.headDim = headDim;
      run(shape, threads);
      if (all == 1)
        break;
    }
}

ResultFile denseSuite(const SuiteOptions &options) {
  ResultFile results("dense", options.command);
  eachDenseCall(options, [&](const Shape &shape, int threads) { denseCase(results, options, shape, threads); });
  return results;
}

} // namespace tercet::bench
