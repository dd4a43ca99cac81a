// JSON and the table of a terminal.
#include "tercet/autotune/Report.h"

#include <fmt/format.h>

#include <algorithm>

namespace tercet::tune {
namespace {

using Json = nlohmann::ordered_json;

Json candidateJson(const TuneReport &report, size_t index) {
  const Candidate &candidate = report.space.candidates[index];
  const CandidateResult &found = report.result.candidates[index];
  Json knobs = Json::object();
  for (const auto &[name, value] : candidate.knobs)
    knobs[name] = value;
  Json object = {{"schedule", candidate.text},
                 {"knobs", std::move(knobs)},
                 {"predicted_ms", candidate.predicted},
                 {"outcome", outcomeName(found.outcome)}};
  const Estimate &estimate = found.estimate;
  if (estimate.samples > 0) {
    object["cost_ms"] = estimate.cost;
    object["ms"] = estimate.median;
    object["ms_quartiles"] = {estimate.low, estimate.median, estimate.high};
    object["samples"] = estimate.samples;
  }
  if (found.outcome != Outcome::untried)
    object["compile_ms"] = 1e3 * found.prepareSeconds;
  if (!found.note.empty())
    object["note"] = found.note;
  return object;
}

/// "row_tile=8 panel=32": what a candidate sets otherwise than the default.
std::string differenceText(const Space &space, size_t index) {
  std::string text;
  for (const auto &knob : space.candidates[index].knobs) {
    const auto &ofDefault = space.candidates.front().knobs;
    if (std::find(ofDefault.begin(), ofDefault.end(), knob) == ofDefault.end())
      text += (text.empty() ? "" : " ") + knob.first + "=" + knob.second;
  }
  return index == 0 ? "(default)" : text.empty() ? space.candidates[index].text : text;
}

} // namespace

std::vector<size_t> rankedCandidates(const TuneResult &result) {
  std::vector<size_t> ranked;
  for (size_t i = 0; i < result.candidates.size(); ++i)
    if (result.candidates[i].estimate.samples > 0)
      ranked.push_back(i);
  std::stable_sort(ranked.begin(), ranked.end(), [&](size_t a, size_t b) {
    return result.candidates[a].estimate.cost < result.candidates[b].estimate.cost;
  });
  return ranked;
}

Json reportJson(const TuneReport &report) {
  const TuneResult &result = report.result;
  Json all = Json::array();
  for (size_t i = 0; i < report.space.candidates.size(); ++i)
    all.push_back(candidateJson(report, i));
  return {{"kernel", report.space.kernel},
          {"direction", report.direction},
          {"best", candidateJson(report, result.best)},
          {"default", candidateJson(report, 0)},
          {"gain",
           {{"median", result.gain.median},
            {"low", result.gain.low},
            {"high", result.gain.high},
            {"pairs", result.gain.pairs}}},
          {"beats_default", result.beatsDefault()},
          {"space", report.space.candidates.size()},
          {"tried", result.tried()},
          {"whole", result.isWhole},
          {"interrupted", result.wasStopped},
          {"budget_seconds", report.budgetSeconds},
          {"seconds", result.seconds},
          {"samples", result.samples.size()},
          {"stored", report.stored},
          {"pruned", report.pruned},
          {"candidates", std::move(all)}};
}

std::string reportTable(const TuneReport &report, size_t most) {
  const TuneResult &result = report.result;
  std::string text = fmt::format("{} for {}, {}: {} of {} candidates in {:.1f} s{}\n", report.space.kernel,
                                 report.direction, report.shape, result.tried(), report.space.candidates.size(),
                                 result.seconds, result.wasStopped ? ", interrupted" : "");
  text += fmt::format("  {:>10} {:>10} {:>21} {:>8} {:>9}  {}\n", "cost ms", "median ms", "quartiles", "samples",
                      "outcome", "beside the default");
  size_t shown = 0;
  for (size_t i : rankedCandidates(result)) {
    if (shown++ >= most && i != 0)
      continue;
    const Estimate &estimate = result.candidates[i].estimate;
    text += fmt::format("{} {:>10.3f} {:>10.3f} {:>10.3f}-{:<10.3f} {:>8} {:>9}  {}\n", i == result.best ? '*' : ' ',
                        estimate.cost, estimate.median, estimate.low, estimate.high, estimate.samples,
                        outcomeName(result.candidates[i].outcome), differenceText(report.space, i));
  }
  for (size_t i = 0; i < result.candidates.size(); ++i)
    if (const CandidateResult &found = result.candidates[i]; !found.note.empty())
      text += fmt::format("  {} {}: {}\n", outcomeName(found.outcome), differenceText(report.space, i), found.note);
  if (result.best != 0)
    text += fmt::format("{:.3f} x the default's speed (95 %: {:.3f} to {:.3f}, {} pairs){}\n", result.gain.median,
                        result.gain.low, result.gain.high, result.gain.pairs,
                        result.beatsDefault() ? "" : ": no more than the spread");
  else
    text += "the default is the best that was found\n";
  return text + (report.stored.empty() ? "" : report.stored + "\n");
}

} // namespace tercet::tune
