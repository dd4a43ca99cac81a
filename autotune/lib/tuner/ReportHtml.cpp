// One page, no scripts, nothing loaded from anywhere; readable in the dark.
#include "Plots.h"
#include "Svg.h"

#include <fmt/format.h>

namespace tercet::tune {
namespace {

constexpr const char *style = R"(
:root { --ink: #1d2430; --faint: #8a93a3; --grid: #e4e7ec; --paper: #ffffff; --other: #7d93b2; --best: #d1495b; --default: #2e7d5b; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ef; --faint: #8f98a8; --grid: #313845; --paper: #161a21; --other: #7f9cc4; --best: #ff7a8a; --default: #6fcf9d; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 900px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.2em; margin-top: 2em; } h3 { font-size: 1em; margin-bottom: 0.3em; }
svg { width: 100%; height: auto; display: block; } .knobs { display: grid; grid-template-columns: repeat(auto-fill, minmax(340px, 1fr)); gap: 1em; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; } svg .tick { fill: var(--faint); font-size: 11px; } svg .name { font-weight: 600; }
line.grid { stroke: var(--grid); } line.roof { stroke: var(--ink); stroke-width: 1.5; } line.least { stroke: var(--faint); stroke-dasharray: 4 3; }
.other { fill: var(--other); stroke: var(--other); } .best { fill: var(--best); stroke: var(--best); } .default { fill: var(--default); stroke: var(--default); }
circle.other { fill-opacity: 0.6; stroke: none; } rect.range { fill-opacity: 0.25; stroke-width: 1; }
table { border-collapse: collapse; width: 100%; font-size: 13px; } th, td { text-align: right; padding: 3px 8px; border-bottom: 1px solid var(--grid); }
th:last-child, td:last-child { text-align: left; font-family: ui-monospace, monospace; font-size: 12px; } tr.best, tr.default { font-weight: 600; fill: none; }
tr.best td { color: var(--best); } tr.default td { color: var(--default); } .key span { padding-right: 1.2em; } .wide { overflow-x: auto; }
)";

std::string rowsOf(const TuneReport &report) {
  std::string rows;
  for (size_t i : rankedCandidates(report.result)) {
    const CandidateResult &found = report.result.candidates[i];
    const Estimate &estimate = found.estimate;
    rows += fmt::format(
        "<tr class=\"{}\"><td>{:.3f}</td><td>{:.3f}</td><td>{:.3f} to {:.3f}</td><td>{}</td><td>{:.3f}</td><td>{}</td>"
        "<td>{}</td></tr>\n",
        kindOf(report, i), estimate.cost, estimate.median, estimate.low, estimate.high, estimate.samples,
        report.space.candidates[i].predicted, outcomeName(found.outcome), escaped(report.space.candidates[i].text));
  }
  for (size_t i = 0; i < report.result.candidates.size(); ++i)
    if (const CandidateResult &found = report.result.candidates[i]; found.estimate.samples == 0 && !found.note.empty())
      rows += fmt::format("<tr><td></td><td></td><td></td><td></td><td></td><td>{}</td><td>{}: {}</td></tr>\n",
                          outcomeName(found.outcome), escaped(report.space.candidates[i].text), escaped(found.note));
  return rows;
}

std::string verdictOf(const TuneReport &report) {
  const TuneResult &result = report.result;
  if (result.best == 0)
    return "The default schedule is the best that was found.";
  return fmt::format("The best is {:.3f} x as fast as the default (median of {} pairs; 95 %: {:.3f} to {:.3f}){}",
                     result.gain.median, result.gain.pairs, result.gain.low, result.gain.high,
                     result.beatsDefault() ? "." : ", which is no more than the spread: the default stays.");
}

std::string sectionOf(const TuneReport &report) {
  const TuneResult &result = report.result;
  std::string html =
      fmt::format("<h2>{}, {}</h2>\n<p><strong>{}</strong> {} of {} candidates were tried in {:.1f} s{}; {} samples. "
                  "{}</p>\n",
                  escaped(report.space.kernel), escaped(report.direction), verdictOf(report), result.tried(),
                  report.space.candidates.size(), result.seconds, result.wasStopped ? ", interrupted" : "",
                  result.samples.size(), escaped(report.stored));
  html +=
      fmt::format("<p>Best: <code>{}</code><br>Default: <code>{}</code></p>\n",
                  escaped(report.space.candidates[result.best].text), escaped(report.space.candidates.front().text));
  html += "<p class=\"key\"><svg viewBox=\"0 0 330 20\" style=\"max-width:330px\"><circle cx=\"10\" cy=\"10\" r=\"5\" "
          "class=\"best\"/><text "
          "x=\"20\" y=\"14\">best</text><circle cx=\"80\" cy=\"10\" r=\"5\" class=\"default\"/><text x=\"90\" "
          "y=\"14\">default</text>"
          "<circle cx=\"170\" cy=\"10\" r=\"4\" class=\"other\"/><text x=\"180\" y=\"14\">other "
          "candidates</text></svg></p>\n";
  html += "<h3>Spread</h3>\n" + spreadPlot(report);
  if (std::string roof = rooflinePlot(report); !roof.empty())
    html += "<h3>Roofline</h3>\n" + roof;
  if (std::vector<std::string> knobs = variedKnobs(report); !knobs.empty()) {
    html += "<h3>Cost against each knob</h3>\n<div class=\"knobs\">\n";
    for (const std::string &knob : knobs)
      html += "<div>" + knobPlot(report, knob) + "</div>\n";
    html += "</div>\n";
  }
  html += "<h3>Candidates</h3>\n<div class=\"wide\"><table><tr><th>cost ms</th><th>median "
          "ms</th><th>quartiles</th><th>samples</th>"
          "<th>predicted ms</th><th>outcome</th><th>schedule</th></tr>\n" +
          rowsOf(report) + "</table></div>\n";
  if (!report.pruned.empty()) {
    html += fmt::format("<details><summary>{} left out by rules</summary><ul>\n", report.pruned.size());
    for (const std::string &pruned : report.pruned)
      html += "<li><code>" + escaped(pruned) + "</code></li>\n";
    html += "</ul></details>\n";
  }
  return html;
}

} // namespace

std::string reportHtml(const std::vector<TuneReport> &reports) {
  std::string title = reports.empty() ? "tuning" : fmt::format("{} at {}, tuned", reports[0].spec, reports[0].shape);
  std::string html = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
                     "content=\"width=device-width, initial-scale=1\">\n<title>" +
                     escaped(title) + "</title>\n<style>" + style + "</style></head><body>\n<h1>" + escaped(title) +
                     "</h1>\n";
  if (!reports.empty())
    html += fmt::format("<p>{} on {} ({}), {}</p>\n", escaped(reports[0].dtype), escaped(reports[0].target),
                        escaped(reports[0].device), escaped(reports[0].date));
  for (const TuneReport &report : reports)
    html += sectionOf(report);
  return html + "</body></html>\n";
}

} // namespace tercet::tune
