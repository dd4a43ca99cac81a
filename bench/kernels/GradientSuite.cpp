// The backward against the peak of the FMA units, and in the same rounds the forward that it belongs to.
#include "Suites.h"

#include <fmt/core.h>

#include <numeric>

namespace tercet::bench {
namespace {

double executedFlops(const LaunchReport &report) {
  return std::accumulate(report.stageFlops.begin(), report.stageFlops.end(), 0.0,
                         [](double sum, const auto &stage) { return sum + stage.second; });
}

void gradientCase(ResultFile &results, const SuiteOptions &options, const Shape &shape, int threads) {
  Workload workload(shape), gradients(shape, Data::random, /*seed=*/2); // whose q is dO
  std::vector<float> lse(static_cast<size_t>(shape.batch * shape.heads * shape.tokens));
  Tensor lseTensor = Tensor::contiguous(lse.data(), DType::f32, {shape.batch, shape.heads, shape.tokens});
  Arguments forwardArguments = workload.arguments(false), backwardArguments = forwardArguments;
  forwardArguments.tensors.emplace_back("lse", lseTensor);
  Arguments own = gradients.arguments(false);
  for (auto [name, from] : {std::pair{"do", "q"}, {"dq", "k"}, {"dk", "v"}, {"dv", "o"}})
    backwardArguments.tensors.emplace_back(name, *own.find(from));
  backwardArguments.tensors.emplace_back("lse", lseTensor);

  auto session = makeSession(threads);
  Spec spec = readSpec("dense");
  Call forward(*session, spec, shape.headDim, Direction::forward, forwardArguments);
  Call backward(*session, spec, shape.headDim, Direction::backward, backwardArguments);
  RepeatOptions repeat;
  repeat.repetitions = options.repetitions(21);
  repeat.threads = threads;
  std::vector<Series> series = interleave({[&] { forward(); }, [&] { backward(); }}, repeat);
  std::string name = fmt::format("{}, {} thread{}", shape.text(), threads, threads == 1 ? "" : "s");
  auto add = [&](const char *what, const Series &of, const LaunchReport &report, std::optional<Bar> bar) {
    results.add({name, what, of.fractions(executedFlops(report)), of.retaken, of.disturbed, bar, ""});
  };
  add("forward, fraction of FMA peak", series[0], forward.report(), {});
  add("backward, fraction of FMA peak", series[1], backward.report(), options.atLeast(0.75));
  std::vector<double> ratio;
  for (size_t round = 0; round < series[0].seconds.size(); ++round)
    ratio.push_back(series[1].seconds[round] / series[0].seconds[round]);
  results.add({name, "backward, times of the forward", ratio, series[1].retaken, series[1].disturbed, {}, ""});
}

} // namespace

ResultFile gradientSuite(const SuiteOptions &options) {
  ResultFile results("gradient", options.command);
  eachDenseCall(options, [&](const Shape &shape, int threads) { gradientCase(results, options, shape, threads); });
  return results;
}

} // namespace tercet::bench
