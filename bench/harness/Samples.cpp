// Quartiles by linear interpolation; the interval by order statistics, which assumes nothing about the noise.
#include "Samples.h"

#include "tercet/rt/Cores.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

namespace tercet::bench {

static double quantile(const std::vector<double> &sorted, double q) {
  double at = q * static_cast<double>(sorted.size() - 1);
  size_t below = static_cast<size_t>(at);
  size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

Quartiles quartilesOf(std::vector<double> values) {
  if (values.empty())
    return {};
  std::sort(values.begin(), values.end());
  return {quantile(values, 0.25), quantile(values, 0.5), quantile(values, 0.75)};
}

MedianInterval medianInterval90(std::vector<double> values) {
  if (values.empty())
    return {0, 0, false};
  std::sort(values.begin(), values.end());
  size_t n = values.size();
  // The median lies outside [value k, value n-1-k] with probability 2 * P(Binomial(n, 1/2) <= k).
  double mass = std::pow(0.5, static_cast<double>(n)), below = mass;
  if (2 * below > 0.10)
    return {values.front(), values.back(), false};
  size_t k = 0;
  for (;;) {
    mass *= static_cast<double>(n - k) / static_cast<double>(k + 1);
    if (2 * (below + mass) > 0.10)
      return {values[k], values[n - 1 - k], true};
    below += mass;
    ++k;
  }
}

std::vector<double> Series::fractions(double flops) const {
  std::vector<double> result;
  for (size_t i = 0; i < seconds.size(); ++i)
    result.push_back(flops / (seconds[i] * peak[i]));
  return result;
}

std::vector<Series> interleave(const std::vector<std::function<void()>> &contenders, const RepeatOptions &options) {
  rt::ProbeOptions probe{.threads = options.threads, .milliseconds = options.probeMs, .level = options.level};
  for (const auto &run : contenders)
    run();
  std::vector<Series> series(contenders.size());
  for (int round = 0; round < options.repetitions; ++round)
    for (size_t i = 0; i < contenders.size(); ++i)
      for (;;) {
        double waitedBefore = rt::secondsWaited();
        rt::BracketedTime time = rt::timeBracketed(contenders[i], probe);
        double share = (rt::secondsWaited() - waitedBefore) / options.threads / (time.seconds + 2e-3 * options.probeMs);
        bool waited = share > options.waitLimit;
        if (waited && series[i].retaken < 3 * options.repetitions) {
          ++series[i].retaken;
          std::this_thread::sleep_for(std::chrono::milliseconds(10)); // what disturbs is often short
          continue;
        }
        series[i].disturbed += waited;
        series[i].seconds.push_back(time.seconds);
        series[i].peak.push_back(time.peak());
        if (options.afterKept)
          options.afterKept(i);
        break;
      }
  return series;
}

} // namespace tercet::bench
