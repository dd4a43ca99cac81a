#include "MarkdownReport.h"

namespace tercet::run {
namespace {

const char *mark(bool passed) { return passed ? "ok" : "FAILED"; }

std::string caseRow(const CaseResult &result) {
  if (!result.skipped.empty() || !result.error.empty())
    return fmt::format("| {} | {} | {} | {} | | | |\n", result.name, result.spec, result.module,
                       result.error.empty() ? "skipped: " + result.skipped : "FAILED: " + result.error);
  const CaseErrors &errors = *result.errors;
  std::string graph = !result.graphs.ran ? "-" : mark(result.graphs.passed());
  return fmt::format("| {} | {} | {} | {} | {:.2e} of {:.2e} | {} | {} |\n", result.name, result.spec, result.module,
                     mark(errors.passed()), errors.o.relativeL2, errors.o.bounds.relativeL2, mark(result.deterministic),
                     graph);
}

std::string benchmarkRow(const BenchmarkResult &result) {
  std::string shape = fmt::format("b={} h={} hkv={} n={} m={} d={}", result.batch, result.heads, result.headsKV,
                                  result.queries, result.keys, result.headDim);
  if (result.ms.empty())
    return fmt::format("| {} | {} | {} | {} | {} | | |\n", result.name, result.module, shape, result.dtype,
                       result.error.empty() ? "skipped: " + result.skipped : "FAILED: " + result.error);
  auto at = [&](size_t quarter) { return result.ms[(result.ms.size() - 1) * quarter / 4]; };
  return fmt::format("| {} | {} | {} | {} | {:.3f} | {:.3f} .. {:.3f} | {:.1f} |\n", result.name, result.module, shape,
                     result.dtype, at(2), at(1), at(3), result.flops / (at(2) * 1e9));
}

} // namespace

std::string markdown(const ReportHead &head, const std::vector<CaseResult> &cases,
                     const std::vector<BenchmarkResult> &benchmarks) {
  std::string text = fmt::format("# {}\n\nTarget {}, {}. Bundle of commit {}, compiled by {}.\n", head.device,
                                 head.target, head.driver, head.commit, head.compiler);
  if (head.simulated)
    text += "\nThe device is the PTX simulator: results are checked, times say nothing about a GPU.\n";
  size_t passed = 0, skipped = 0;
  for (const CaseResult &result : cases) {
    passed += result.passed();
    skipped += !result.skipped.empty();
  }
  text += fmt::format("\n## Cases: {} of {} passed, {} skipped\n\n", passed, cases.size(), skipped);
  text +=
      "| case | spec | module | result | relative L2 of o | same bits twice | graph |\n|---|---|---|---|---|---|---|\n";
  for (const CaseResult &result : cases)
    text += caseRow(result);
  if (benchmarks.empty())
    return text;
  text += "\n## Times: medians of graph replays, selection and linear part inside; executed operations only\n\n";
  text += "| benchmark | module | shape | dtype | ms | quartiles | TFLOP/s |\n|---|---|---|---|---|---|---|\n";
  for (const BenchmarkResult &result : benchmarks)
    text += benchmarkRow(result);
  return text;
}

} // namespace tercet::run
