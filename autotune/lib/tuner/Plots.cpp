// The best and the default are drawn last, over the others.
#include "Plots.h"

#include "Svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

namespace tercet::tune {
namespace {

constexpr size_t mostSpreads = 24;
constexpr double beyond = 1.8; // times the best: what is farther is drawn at the edge, for the rest to be told apart

const std::string *valueOf(const Candidate &candidate, const std::string &knob) {
  for (const auto &[name, value] : candidate.knobs)
    if (name == knob)
      return &value;
  return nullptr;
}

/// Numbers by size, then words.
bool comesBefore(const std::string &a, const std::string &b) {
  auto number = [](const std::string &text) {
    double value = 0;
    bool isNumber = std::from_chars(text.data(), text.data() + text.size(), value).ptr == text.data() + text.size();
    return std::pair(!isNumber, value);
  };
  return number(a) != number(b) ? number(a) < number(b) : a < b;
}

std::string tooltip(const TuneReport &report, size_t candidate) {
  const Estimate &estimate = report.result.candidates[candidate].estimate;
  return fmt::format("{}\ncost {:.3f} ms, median {:.3f} ms ({:.3f} to {:.3f}), {} samples",
                     report.space.candidates[candidate].text, estimate.cost, estimate.median, estimate.low,
                     estimate.high, estimate.samples);
}

/// Those with samples, the default and then the best last.
std::vector<size_t> drawingOrder(const TuneReport &report) {
  std::vector<size_t> order = rankedCandidates(report.result);
  auto rank = [&](size_t i) { return i == report.result.best ? 2 : i == 0 ? 1 : 0; };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return rank(a) < rank(b); });
  return order;
}

/// The most that a plot shows as it is.
double edgeOf(const TuneReport &report) {
  const auto &results = report.result.candidates;
  return std::max(beyond * results[rankedCandidates(report.result).front()].estimate.cost,
                  std::max(results[0].estimate.cost, results[0].estimate.high));
}

std::pair<double, double> costRange(const TuneReport &report) {
  std::vector<size_t> ranked = rankedCandidates(report.result);
  return {report.result.candidates[ranked.front()].estimate.cost,
          std::min(edgeOf(report), report.result.candidates[ranked.back()].estimate.cost)};
}

} // namespace

std::string kindOf(const TuneReport &report, size_t candidate) {
  return candidate == report.result.best ? "best" : candidate == 0 ? "default" : "other";
}

std::vector<std::string> variedKnobs(const TuneReport &report) {
  std::vector<std::string> varied;
  for (const auto &[name, value] : report.space.candidates.front().knobs) {
    std::set<std::string> values;
    for (size_t i : rankedCandidates(report.result))
      if (const std::string *own = valueOf(report.space.candidates[i], name))
        values.insert(*own);
    if (values.size() > 1)
      varied.push_back(name);
  }
  return varied;
}

std::string spreadPlot(const TuneReport &report) {
  const auto &results = report.result.candidates;
  std::vector<size_t> shown = rankedCandidates(report.result);
  std::vector<size_t> best(shown.begin(), shown.begin() + static_cast<ptrdiff_t>(std::min(mostSpreads, shown.size())));
  if (std::find(best.begin(), best.end(), 0) == best.end())
    best.push_back(0);
  double least = results[best.front()].estimate.cost, most = least;
  for (size_t i : best) {
    least = std::min({least, results[i].estimate.low, results[i].estimate.cost});
    most = std::max(most, std::min(results[i].estimate.high, edgeOf(report)));
  }
  constexpr double width = 860, left = 70, top = 10, row = 18;
  double height = top + row * static_cast<double>(best.size()) + 40;
  Svg svg(width, height, "spread of the candidates' times");
  Axis x(least, most, false, left, width - 20);
  svg.gridX(x, top, height - 36);
  svg.text((left + width) / 2, height - 4, "ms: quartiles of the times, median, and cost (dot)", "middle");
  for (size_t place = 0; place < best.size(); ++place) {
    size_t i = best[place];
    const Estimate &estimate = results[i].estimate;
    double y = top + row * (static_cast<double>(place) + 0.5);
    std::string kind = kindOf(report, i);
    svg.text(left - 8, y + 4,
             i == report.result.best ? "best"
             : i == 0                ? "default"
                                     : fmt::format("{}", place + 1),
             "end", "tick");
    auto at = [&](double ms) { return x.at(std::min(ms, most)); };
    svg.box(at(estimate.low), y - 6, at(estimate.high) - at(estimate.low), 12, kind + " range", tooltip(report, i));
    svg.line(at(estimate.median), y - 6, at(estimate.median), y + 6, kind);
    svg.dot(at(estimate.cost), y, 3, kind, tooltip(report, i));
  }
  return svg.done();
}

std::string knobPlot(const TuneReport &report, const std::string &knob) {
  std::set<std::string, decltype(&comesBefore)> values(&comesBefore);
  std::vector<size_t> order = drawingOrder(report);
  std::map<std::string, double> leastOf;
  for (size_t i : order)
    if (const std::string *value = valueOf(report.space.candidates[i], knob)) {
      values.insert(*value);
      double cost = report.result.candidates[i].estimate.cost;
      auto [least, isNew] = leastOf.try_emplace(*value, cost);
      least->second = std::min(least->second, cost);
    }
  constexpr double width = 400, height = 240, left = 60, right = 385, top = 24, bottom = 200;
  Svg svg(width, height, "cost against " + knob);
  std::pair<double, double> range = costRange(report);
  double low = range.first, high = range.second;
  Axis y(low, high, true, bottom, top);
  svg.gridY(y, left, right);
  svg.text((left + right) / 2, 14, knob, "middle", "name");
  auto heightOf = [&](double cost) { return y.at(std::min(cost, high)); };
  auto place = [&](const std::string &value) {
    auto rank = static_cast<double>(std::distance(values.begin(), values.find(value)));
    return left + (right - left) * (rank + 0.5) / static_cast<double>(values.size());
  };
  const std::string *before = nullptr;
  for (const std::string &value : values) {
    svg.text(place(value), bottom + 16, value, "middle", "tick");
    if (before)
      svg.line(place(*before), heightOf(leastOf[*before]), place(value), heightOf(leastOf[value]), "least");
    before = &value;
  }
  for (size_t i : order)
    if (const std::string *value = valueOf(report.space.candidates[i], knob))
      svg.dot(place(*value), heightOf(report.result.candidates[i].estimate.cost), kindOf(report, i) == "other" ? 3 : 5,
              kindOf(report, i), tooltip(report, i));
  svg.text(left, height - 6, "cost in ms; line: the best of each value", "start", "tick");
  return svg.done();
}

std::string rooflinePlot(const TuneReport &report) {
  std::vector<size_t> order = drawingOrder(report);
  std::erase_if(order, [&](size_t i) {
    return i >= report.work.size() || !(report.work[i].flops > 0) || !(report.work[i].bytes > 0);
  });
  if (!(report.peak > 0) || !(report.bandwidth > 0) || order.empty())
    return "";
  auto intensity = [&](size_t i) { return report.work[i].flops / report.work[i].bytes; };
  auto speed = [&](size_t i) { return report.work[i].flops / (report.result.candidates[i].estimate.cost * 1e-3); };
  double ridge = report.peak / report.bandwidth, leftmost = ridge / 4, rightmost = ridge * 4, slowest = report.peak;
  for (size_t i : order) {
    leftmost = std::min(leftmost, intensity(i) / 2);
    rightmost = std::max(rightmost, intensity(i) * 2);
    slowest = std::min(slowest, speed(i) / 1.5);
  }
  constexpr double width = 620, height = 340, left = 70, right = 600, top = 20, bottom = 290;
  Svg svg(width, height, "roofline");
  Axis x(leftmost, rightmost, true, left, right);
  Axis y(std::min(slowest, leftmost * report.bandwidth) / 1e9, report.peak * 1.3 / 1e9, true, bottom, top);
  svg.gridX(x, top, bottom);
  svg.gridY(y, left, right);
  svg.line(x.at(leftmost), y.at(leftmost * report.bandwidth / 1e9), x.at(ridge), y.at(report.peak / 1e9), "roof");
  svg.line(x.at(ridge), y.at(report.peak / 1e9), x.at(rightmost), y.at(report.peak / 1e9), "roof");
  svg.text(right, y.at(report.peak / 1e9) - 6, fmt::format("{:.0f} GFLOP/s, measured", report.peak / 1e9), "end",
           "tick");
  svg.text(x.at(leftmost) + 24, y.at(leftmost * report.bandwidth / 1e9),
           fmt::format("{:.1f} GB/s, measured", report.bandwidth / 1e9), "start", "tick");
  for (size_t i : order)
    svg.dot(x.at(intensity(i)), y.at(speed(i) / 1e9), kindOf(report, i) == "other" ? 3 : 6, kindOf(report, i),
            fmt::format("{}\n{:.1f} GFLOP/s, {:.2f} of the peak", tooltip(report, i), speed(i) / 1e9,
                        speed(i) / report.peak));
  svg.text((left + right) / 2, height - 8, "executed operations per byte that cannot be avoided; vertical: GFLOP/s",
           "middle");
  return svg.done();
}

} // namespace tercet::tune
