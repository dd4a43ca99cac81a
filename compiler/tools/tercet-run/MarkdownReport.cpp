#include "MarkdownReport.h"

namespace tercet::run {
namespace {

using cli::Json;

const char *mark(const Json &object) { return object["passed"].get<bool>() ? "ok" : "FAILED"; }

std::string text(const Json &object, const char *key) { return object[key].get<std::string>(); }

/// "skipped: .." or "FAILED: .." where a result has no numbers; else empty.
std::string absence(const Json &result) {
  if (result.contains("error"))
    return "FAILED: " + text(result, "error");
  return result.contains("skipped") ? "skipped: " + text(result, "skipped") : "";
}

std::string caseRow(const Json &result) {
  std::string head =
      fmt::format("| {} | {} | {} |", text(result, "name"), text(result, "spec"), text(result, "module"));
  if (std::string why = absence(result); !why.empty() || !result.contains("o"))
    return fmt::format("{} {} | | | | |\n", head, why);
  const Json &l2 = result["o"]["relative_l2"];
  std::string beside = "-";
  if (result.contains("beside"))
    beside = fmt::format("{}: {:.1e}, {:.1f} % equal", text(result["beside"], "target"),
                         result["beside"]["relative_l2"]["value"].get<double>(),
                         100 * result["beside"]["equal_share"].get<double>());
  return fmt::format("{} {} | {:.2e} of {:.2e} | {} | {} | {} |\n", head, mark(result), l2["value"].get<double>(),
                     l2["bound"].get<double>(), result["deterministic"].get<bool>() ? "yes" : "NO",
                     result.contains("graph") ? mark(result["graph"]) : "-", beside);
}

std::string benchmarkRow(const Json &result) {
  const Json &shape = result["shape"];
  auto size = [&](const char *name) { return shape[name].get<int64_t>(); };
  std::string head =
      fmt::format("| {} | {} | b={} h={} hkv={} n={} m={} d={} | {} |", text(result, "name"), text(result, "module"),
                  size("b"), size("h"), size("hkv"), size("n"), size("m"), size("d"), text(result, "dtype"));
  if (!result.contains("ms"))
    return fmt::format("{} {} | | |\n", head, absence(result));
  const Json &quartiles = result["ms_quartiles"];
  return fmt::format("{} {:.3f} | {:.3f} .. {:.3f} | {:.1f} |\n", head, result["ms"].get<double>(),
                     quartiles[0].get<double>(), quartiles[2].get<double>(), result["executed_tflops"].get<double>());
}

} // namespace

std::string markdown(const Json &results) {
  const Json &device = results["device"];
  std::string target = text(device, "target");
  std::string page = fmt::format("# {}\n\nTarget {}, {}. Bundle of commit {}, compiled by {}.\n", text(device, "name"),
                                 target, text(device, "driver"), text(results, "commit"), text(results, "compiler"));
  if (target.starts_with("sim:"))
    page += "\nThe device is the PTX simulator: results are checked, times say nothing about a GPU.\n";
  size_t passed = 0, skipped = 0;
  for (const Json &result : results["cases"]) {
    passed += result["passed"].get<bool>();
    skipped += result.contains("skipped");
  }
  page += fmt::format("\n## Cases: {} of {} passed, {} skipped\n\n", passed, results["cases"].size(), skipped);
  page += "| case | spec | module | result | relative L2 of o | same bits twice | graph | beside |\n"
          "|---|---|---|---|---|---|---|---|\n";
  for (const Json &result : results["cases"])
    page += caseRow(result);
  if (results["benchmarks"].empty())
    return page;
  page +=
      "\n## Times: medians of graph replays (of launches on the CPU), every stage inside; executed operations only\n\n";
  page += "| benchmark | module | shape | dtype | ms | quartiles | TFLOP/s |\n|---|---|---|---|---|---|---|\n";
  for (const Json &result : results["benchmarks"])
    page += benchmarkRow(result);
  return page;
}

} // namespace tercet::run
