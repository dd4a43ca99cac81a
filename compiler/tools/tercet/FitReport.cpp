#include "FitReport.h"

#include "CurvePicture.h"

#include <algorithm>
#include <numeric>

namespace tercet::cli {
namespace {

Json timesJson(const tune::Times &times) { return {times.quantile(0.25), times.median(), times.quantile(0.75)}; }

double mean(const std::vector<double> &values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

Json headsJson(const FitContender &contender, const tune::ContenderFit &found) {
  const KeptShares &kept = contender.kept(found.levels);
  Json heads = Json::array();
  for (size_t head = 0; head < found.levels.size(); ++head)
    heads.push_back({{"value", contender.parameter().value(found.levels[head])},
                     {"kept", kept.empty() ? Json() : Json(kept[head])},
                     {"error", found.errors.perHead[head]}});
  return heads;
}

Json curveJson(const FitContender &contender, const tune::ContenderFit &found) {
  Json points = Json::array();
  for (const tune::CurvePoint &point : found.curve) {
    const KeptShares &kept = contender.kept(std::vector<int64_t>(found.levels.size(), point.level));
    points.push_back({{"value", contender.parameter().value(point.level)},
                      {"kept", kept.empty() ? Json() : Json(mean(kept))},
                      {"worst_error", point.errors.worst()},
                      {"error", point.errors.overall},
                      {"ms", point.times.median()}});
  }
  return points;
}

Json contenderJson(const FitContender &contender, const tune::ContenderFit &found, const tune::Times &exact) {
  const KeptShares &kept = contender.kept(found.levels);
  Json object = {{"spec", contender.name()},      {"parameter", contender.parameter().parameter},
                 {"reached", found.reached},      {"worst_error", found.errors.worst()},
                 {"error", found.errors.overall}, {"kept", kept.empty() ? Json() : Json(mean(kept))}};
  object["ms"] = found.reached ? Json(found.times.median()) : Json();
  object["ms_quartiles"] = found.reached ? timesJson(found.times) : Json();
  object["speedup_vs_exact"] = found.reached ? Json(exact.median() / found.times.median()) : Json();
  // What one value for all heads would have to be: that of the most demanding head.
  object["value_for_all_heads"] =
      contender.parameter().value(*std::max_element(found.levels.begin(), found.levels.end()));
  object["search_launches"] = found.searchLaunches;
  object["largest_rise"] = found.largestRise;
  object["heads"] = headsJson(contender, found);
  object["curve"] = curveJson(contender, found);
  return object;
}

std::string percent(const Json &share) {
  return share.is_null() ? "" : fmt::format("{:.2f} %", 100 * share.get<double>());
}

} // namespace

Json FitReport::json() const {
  Json all = Json::array();
  for (size_t index = 0; index < contenders.size(); ++index)
    all.push_back(contenderJson(*contenders[index], result.contenders[index], result.exact));
  Json object = {{"max_error", maxError}, {"against", against}, {"passed", result.best.has_value()}};
  object["best"] = result.best ? Json(contenders[*result.best]->name()) : Json();
  object["nearest"] = contenders[result.best.value_or(result.nearest)]->name();
  object["exact_ms"] = result.exact.median();
  object["exact_ms_quartiles"] = timesJson(result.exact);
  object["contenders"] = std::move(all);
  return object;
}

std::string FitReport::text(const Json &object) {
  std::string against = object["against"].get<std::string>();
  std::string text = fmt::format("error of every head at most {:g} against {}; {} takes {:.3f} ms\n\n",
                                 object["max_error"].get<double>(), against, against, object["exact_ms"].get<double>());
  text += "| spec         | met | worst head | all heads | kept     | ms         | speed-up |\n";
  text += "|--------------|-----|-----------:|----------:|---------:|-----------:|---------:|\n";
  for (const Json &contender : object["contenders"]) {
    bool reached = contender["reached"].get<bool>();
    text += fmt::format("| {:<12} | {:<3} | {:>10.3g} | {:>9.3g} | {:>8} | {:>10} | {:>8} |\n",
                        contender["spec"].get<std::string>(), reached ? "yes" : "no",
                        contender["worst_error"].get<double>(), contender["error"].get<double>(),
                        percent(contender["kept"]), reached ? fmt::format("{:.3f}", contender["ms"].get<double>()) : "",
                        reached ? fmt::format("{:.2f} x", contender["speedup_vs_exact"].get<double>()) : "");
  }
  std::string shown = object["nearest"].get<std::string>();
  for (const Json &contender : object["contenders"]) {
    if (contender["spec"] != shown)
      continue;
    text += fmt::format("\n{}: {}, {} per head\n", object["passed"].get<bool>() ? "best" : "nearest", shown,
                        contender["parameter"].get<std::string>());
    for (size_t head = 0; head < contender["heads"].size(); ++head) {
      const Json &values = contender["heads"][head];
      text +=
          fmt::format("  head {:>3}: {:<10.6g} error {:<10.3g} {}\n", head, values["value"].get<double>(),
                      values["error"].get<double>(), values["kept"].is_null() ? "" : "kept " + percent(values["kept"]));
    }
  }
  if (object.contains("outputs"))
    for (const auto &[name, path] : object["outputs"].items())
      text += fmt::format("{} -> {}\n", name, path.get<std::string>());
  return text;
}

compiler::RgbImage FitReport::picture() const {
  const double exactMs = result.exact.median();
  std::vector<PictureCurve> curves;
  for (size_t index = 0; index < contenders.size(); ++index) {
    const tune::ContenderFit &found = result.contenders[index];
    PictureCurve curve{contenders[index]->name(), {}, {}};
    for (const tune::CurvePoint &point : found.curve)
      curve.points.emplace_back(point.times.median() / exactMs, point.errors.worst());
    if (found.reached)
      curve.mark = {found.times.median() / exactMs, found.errors.worst()};
    curves.push_back(std::move(curve));
  }
  return curvePicture(curves, {.xLabel = fmt::format("time / time of {}", against),
                               .yLabel = fmt::format("relative error of the worst head against {}", against),
                               .bound = maxError,
                               .boundLabel = fmt::format("max-error {:g}", maxError)});
}

std::string FitReport::specText(const std::string &tableFile) const {
  const FitContender &best = *contenders[*result.best];
  const tune::ContenderFit &found = result.contenders[*result.best];
  return fmt::format("// {}, fitted: with {} from {}, on the tensors that it was fitted on, no head's relative\n"
                     "// error against {} is above {:g} (the worst is {:.3g}; of all heads together {:.3g}).\n{}",
                     best.name(), best.parameter().table(), tableFile, against, maxError, found.errors.worst(),
                     found.errors.overall, best.perHead().toCompile.text);
}

} // namespace tercet::cli
