#include "tercet/autotune/Fit.h"

#include "tercet/autotune/LevelSearch.h"

#include <algorithm>
#include <chrono>
#include <set>

namespace tercet::tune {
namespace {

constexpr int64_t fewestRounds = 3; // also as many as the points of curves get, which only a picture shows

/// From 0 to last, evenly.
std::set<int64_t> curveLevels(int64_t last, int64_t points) {
  std::set<int64_t> levels;
  for (int64_t point = 0; point < points; ++point)
    levels.insert(last * point / (points - 1));
  return levels;
}

class Search {
public:
  Search(Contender &contender, const FitOptions &options)
      : contender(contender), options(options),
        heads(static_cast<size_t>(options.heads), LevelSearch(contender.lastLevel(), options.maxError)) {}

  Result<ContenderFit> run() {
    for (int64_t level : curveLevels(contender.lastLevel(), options.curvePoints)) {
      TERCET_TRY(HeadErrors errors, measure(std::vector<int64_t>(heads.size(), level)));
      result.curve.push_back({level, std::move(errors), {}});
    }
    while (std::optional<std::vector<int64_t>> levels = next())
      TERCET_RETURN_IF_ERROR(measure(*levels).takeStatus());
    for (const LevelSearch &head : heads)
      result.largestRise = std::max(result.largestRise, head.largestRise());
    result.levels = settled();
    // Heads were measured beside other levels of the others: what is reported is measured as it stands.
    TERCET_TRY(result.errors, measure(result.levels));
    result.reached = result.errors.worst() <= options.maxError;
    return std::move(result);
  }

private:
  Result<HeadErrors> measure(const std::vector<int64_t> &levels) {
    TERCET_TRY(HeadErrors errors, contender.errors(levels));
    ++result.searchLaunches;
    if (options.onLaunch)
      options.onLaunch();
    for (size_t head = 0; head < heads.size(); ++head)
      heads[head].record(levels[head], errors.perHead[head]);
    return errors;
  }

  /// What is known to meet the bound, or to come nearest to it.
  std::vector<int64_t> settled() const {
    std::vector<int64_t> levels;
    for (const LevelSearch &head : heads) {
      auto nearest = std::min_element(head.measured().begin(), head.measured().end(),
                                      [](const auto &left, const auto &right) { return left.second < right.second; });
      levels.push_back(head.found().value_or(nearest->first));
    }
    return levels;
  }

  std::optional<std::vector<int64_t>> next() const {
    std::vector<int64_t> levels = settled();
    bool isOpen = false;
    for (size_t head = 0; head < heads.size(); ++head)
      if (std::optional<int64_t> level = heads[head].next()) {
        levels[head] = *level;
        isOpen = true;
      }
    return isOpen ? std::optional(std::move(levels)) : std::nullopt;
  }

  Contender &contender;
  const FitOptions &options;
  std::vector<LevelSearch> heads;
  ContenderFit result;
};

/// What is timed: in every round, or in the first ones alone.
struct Point {
  std::function<Result<double>()> time;
  Times *into;
  int64_t rounds;
};

Status timeInTurns(const std::vector<Point> &points, const FitOptions &options) {
  auto begin = std::chrono::steady_clock::now();
  const int64_t rounds = std::max(options.repetitions, fewestRounds);
  for (int64_t round = 0; round < rounds; ++round) {
    std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
    if (round >= fewestRounds && spent.count() > options.budgetSeconds)
      break;
    for (const Point &point : points) {
      if (round >= point.rounds)
        continue;
      TERCET_TRY(double ms, point.time());
      point.into->ms.push_back(ms);
      if (options.onLaunch)
        options.onLaunch();
    }
  }
  return {};
}

} // namespace

double Times::quantile(double share) const {
  TERCET_CHECK(!ms.empty(), "a point that was timed");
  std::vector<double> sorted = ms;
  std::sort(sorted.begin(), sorted.end());
  double position = share * static_cast<double>(sorted.size() - 1);
  size_t below = static_cast<size_t>(position), above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

Result<FitResult> fit(const std::vector<Contender *> &contenders, const std::function<Result<double>()> &timeExact,
                      const FitOptions &options) {
  TERCET_CHECK(!contenders.empty() && options.curvePoints >= 2 && options.heads >= 1, "something to fit");
  FitResult result;
  for (Contender *contender : contenders) {
    TERCET_TRY(ContenderFit found, Search(*contender, options).run());
    result.contenders.push_back(std::move(found));
  }

  std::vector<Point> points = {{timeExact, &result.exact, INT64_MAX}};
  for (size_t index = 0; index < contenders.size(); ++index) {
    Contender *contender = contenders[index];
    ContenderFit &found = result.contenders[index];
    if (found.reached)
      points.push_back({[contender, &found] { return contender->time(found.levels); }, &found.times, INT64_MAX});
    for (CurvePoint &point : found.curve) {
      std::vector<int64_t> levels(static_cast<size_t>(options.heads), point.level);
      points.push_back({[contender, levels] { return contender->time(levels); }, &point.times, fewestRounds});
    }
  }
  TERCET_RETURN_IF_ERROR(timeInTurns(points, options));

  for (size_t index = 0; index < result.contenders.size(); ++index) {
    const ContenderFit &found = result.contenders[index];
    if (found.errors.worst() < result.contenders[result.nearest].errors.worst())
      result.nearest = index;
    if (found.reached && (!result.best || found.times.median() < result.contenders[*result.best].times.median()))
      result.best = index;
  }
  return result;
}

} // namespace tercet::tune
