// Costs are fitted in logarithms: log time = log cost of the candidate + drift at that moment + noise.
#include "tercet/autotune/Measurement.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace tercet::tune {
namespace {

constexpr double costShare = 0.25;  // the lower quartile
constexpr int64_t tellsOfDrift = 8; // samples from which on a candidate's own cost is known well enough
constexpr size_t driftWindow = 9;   // samples; a neighbour that stays longer than four of them is drift, not noise
constexpr int fits = 3;             // of costs and drift in turn; more change nothing

double quantileOf(std::vector<double> &values, double share) {
  if (values.empty())
    return 0;
  double position = share * static_cast<double>(values.size() - 1);
  size_t below = static_cast<size_t>(position);
  auto at = values.begin() + static_cast<ptrdiff_t>(below);
  std::nth_element(values.begin(), at, values.end());
  double low = *at, rest = position - static_cast<double>(below);
  return rest > 0 ? low + rest * (*std::min_element(at + 1, values.end()) - low) : low;
}

/// How much samples of one candidate that follow each other differ: the median over all candidates.
double unrest(std::span<const Sample> samples, const std::vector<double> &logs) {
  std::map<size_t, double> last;
  std::vector<double> steps;
  for (size_t i = 0; i < samples.size(); ++i) {
    auto [before, isFirst] = last.try_emplace(samples[i].candidate, logs[i]);
    if (!isFirst)
      steps.push_back(std::fabs(logs[i] - before->second));
    before->second = logs[i];
  }
  return quantileOf(steps, 0.5);
}

/// Logarithms of the times, scaled by the peaks where that makes samples of a candidate agree better.
std::vector<double> logTimes(std::span<const Sample> samples) {
  std::vector<double> peaks, taken, scaled;
  for (const Sample &sample : samples)
    if (sample.measured.peak > 0)
      peaks.push_back(sample.measured.peak);
  double reference = quantileOf(peaks, 0.5);
  for (const auto &[candidate, measured] : samples) {
    taken.push_back(std::log(measured.ms));
    scaled.push_back(taken.back() + (measured.peak > 0 ? std::log(measured.peak / reference) : 0));
  }
  return unrest(samples, scaled) < unrest(samples, taken) ? scaled : taken;
}

class Fit {
public:
  Fit(std::span<const Sample> samples, size_t candidates)
      : samples(samples), logs(logTimes(samples)), drift(samples.size(), 0.0), counts(candidates, 0),
        costs(candidates, 0.0) {
    for (const Sample &sample : samples)
      ++counts[sample.candidate];
    // First by the most measured candidate alone, which is there all the time; then its drift is in nobody else's cost.
    int64_t most = counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end());
    for (int fit = 0; fit < fits; ++fit) {
      findAnchors(fit == 0 ? most : std::min(most, tellsOfDrift));
      costs = corrected(costShare);
      fitDrift();
    }
    costs = corrected(costShare);
  }

  /// A quantile of each candidate's times without drift.
  std::vector<double> corrected(double share) const {
    std::vector<std::vector<double>> values(counts.size());
    for (size_t i = 0; i < samples.size(); ++i)
      values[samples[i].candidate].push_back(logs[i] - drift[i]);
    std::vector<double> result;
    for (std::vector<double> &each : values)
      result.push_back(quantileOf(each, share));
    return result;
  }

  std::span<const Sample> samples;
  std::vector<double> logs, drift;
  std::vector<int64_t> counts;
  std::vector<double> costs;

private:
  void findAnchors(int64_t fewest) {
    anchors.clear();
    for (size_t i = 0; i < samples.size(); ++i)
      if (counts[samples[i].candidate] >= fewest)
        anchors.push_back(i);
  }

  void fitDrift() {
    if (anchors.size() < driftWindow) // too few to tell drift from noise
      return;
    std::vector<double> window;
    size_t first = 0; // of the window among the anchors: it follows the samples
    for (size_t i = 0; i < samples.size(); ++i) {
      auto isFarther = [&](size_t anchor) { // the window's first is farther away than the one after its last
        return anchor + driftWindow < anchors.size() &&
               distance(anchors[anchor], i) > distance(anchors[anchor + driftWindow], i);
      };
      while (isFarther(first))
        ++first;
      window.clear();
      for (size_t anchor = first; anchor < first + driftWindow; ++anchor)
        window.push_back(logs[anchors[anchor]] - costs[samples[anchors[anchor]].candidate]);
      drift[i] = quantileOf(window, 0.5);
    }
    // Costs are those of the machine at a good time of its.
    std::vector<double> all = drift;
    double good = quantileOf(all, costShare);
    for (double &each : drift)
      each -= good;
  }

  static size_t distance(size_t a, size_t b) { return a > b ? a - b : b - a; }

  std::vector<size_t> anchors; ///< samples that tell of drift, in the order of time
};

} // namespace

double quantile(std::vector<double> values, double share) { return quantileOf(values, share); }

std::vector<Estimate> estimateCosts(std::span<const Sample> samples, size_t candidates) {
  Fit fit(samples, candidates);
  std::vector<double> least = fit.corrected(0);
  std::vector<std::vector<double>> taken(candidates);
  for (const Sample &sample : samples)
    taken[sample.candidate].push_back(sample.measured.ms);
  std::vector<Estimate> estimates(candidates);
  for (size_t i = 0; i < candidates; ++i)
    if (fit.counts[i] > 0)
      estimates[i] = {fit.counts[i],
                      std::exp(fit.costs[i]),
                      std::exp(least[i]),
                      quantileOf(taken[i], 0.25),
                      quantileOf(taken[i], 0.5),
                      quantileOf(taken[i], 0.75)};
  return estimates;
}

Ratio ratioOf(std::span<const double> slow, std::span<const double> fast) {
  std::vector<double> ratios;
  for (size_t i = 0; i < std::min(slow.size(), fast.size()); ++i)
    ratios.push_back(slow[i] / fast[i]);
  if (ratios.empty())
    return {};
  std::sort(ratios.begin(), ratios.end());
  double n = static_cast<double>(ratios.size());
  // The number of ratios below the median is binomial: the interval reaches 1.96 standard deviations of it to both sides.
  size_t outside = static_cast<size_t>(std::max(0.0, std::floor(n / 2 - 0.98 * std::sqrt(n)) - 1));
  Ratio ratio{static_cast<int64_t>(ratios.size()), quantileOf(ratios, 0.5), 1, 1};
  std::sort(ratios.begin(), ratios.end());
  ratio.low = ratios[outside];
  ratio.high = ratios[ratios.size() - 1 - outside];
  if (ratio.pairs < fewestPairs) {
    ratio.low = std::min(1.0, ratio.low);
    ratio.high = std::max(1.0, ratio.high);
  }
  return ratio;
}

} // namespace tercet::tune
