// Reports of a search on a made-up machine.
#include "FakeBench.h"

#include "tercet/autotune/Report.h"

using namespace tercet::tune;

namespace {

TuneReport makeReport() {
  TuneReport report{
      "sla", "cpu:v4", "a <made-up> machine", "f32", "inference", "b=1,h=1,n=64,d=64", "2026-11-29T12:00:00Z"};
  report.space.kernel = "cpu";
  std::vector<double> costs;
  for (int tile : {4, 8, 16})
    for (const char *order : {"rows", "columns"}) {
      report.space.candidates.push_back({fmt::format("tile={} order={}", tile, order),
                                         {{"tile", std::to_string(tile)}, {"order", order}, {"fixed", "1"}},
                                         10.0 / tile});
      costs.push_back(tile == 8 ? 8 : 12);
      report.work.push_back({1e9, 1e7});
    }
  FakeBench bench(costs, 1);
  bench.failing = 5;
  report.result = *tune(report.space, bench, {.budgetSeconds = 20});
  report.peak = 2e11, report.bandwidth = 1e10;
  report.budgetSeconds = 20;
  report.pruned = {"tile=32: too <large>"};
  return report;
}

size_t countOf(const std::string &text, const std::string &word) {
  size_t count = 0;
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
    ++count;
  return count;
}

} // namespace

TEST_CASE("the JSON of a report has every candidate, the best, the default and the gain", "[tuner]") {
  TuneReport report = makeReport();
  nlohmann::ordered_json object = reportJson(report);
  CHECK(object["candidates"].size() == 6);
  CHECK(object["best"]["knobs"]["tile"] == "8");
  CHECK(object["default"]["schedule"] == "tile=4 order=rows");
  CHECK(object["beats_default"] == true);
  CHECK(object["gain"]["low"].get<double>() > 1.2);
  CHECK(object["candidates"][5]["outcome"] == "failed");
  CHECK(object["candidates"][5]["note"] == "no code for it");
  CHECK_FALSE(object["candidates"][5].contains("cost_ms"));
  CHECK(object["tried"] == 6);
  CHECK(object["whole"] == true);
}

TEST_CASE("the table marks the best, always has the default, and names what the others set otherwise", "[tuner]") {
  TuneReport report = makeReport();
  std::string table = reportTable(report, 1);
  CHECK(countOf(table, "\n* ") == 1);
  CHECK(table.find("(default)") != std::string::npos);
  CHECK(table.find("tile=8") != std::string::npos);
  CHECK(table.find("x the default's speed") != std::string::npos);
  CHECK(table.find("failed tile=16 order=columns: no code for it") != std::string::npos);
}

TEST_CASE("the page stands alone, escapes what it is given, and has a plot for each knob that varies", "[tuner]") {
  std::string html = reportHtml({makeReport()});
  CHECK(html.find("http") == std::string::npos);
  CHECK(html.find("<script") == std::string::npos);
  CHECK(html.find("a &lt;made-up&gt; machine") != std::string::npos);
  CHECK(html.find("too &lt;large&gt;") != std::string::npos);
  CHECK(countOf(html, "<svg") == countOf(html, "</svg>"));
  CHECK(html.find("cost against tile") != std::string::npos);
  CHECK(html.find("cost against order") != std::string::npos);
  CHECK(html.find("cost against fixed") == std::string::npos);
  CHECK(html.find("aria-label=\"roofline\"") != std::string::npos);
  CHECK(html.find("nan") == std::string::npos);
}

TEST_CASE("a report without a roof or with one candidate is a page, too", "[tuner]") {
  TuneReport report = makeReport();
  report.peak = 0;
  CHECK(reportHtml({report}).find("aria-label=\"roofline\"") == std::string::npos);
  report.space.candidates.resize(1);
  FakeBench bench({10}, 1);
  report.result = *tune(report.space, bench, {.budgetSeconds = 5});
  CHECK(reportHtml({report}).find("The default schedule is the best") != std::string::npos);
  CHECK(reportHtml({}).find("</html>") != std::string::npos);
}
