// MarkdownReport: the results of a table as one page.
#pragma once

#include "CaseResult.h"

namespace tercet::run {

struct ReportHead {
  std::string target, device, driver, compiler, commit;
  bool simulated = false;
};

std::string markdown(const ReportHead &head, const std::vector<CaseResult> &cases,
                     const std::vector<BenchmarkResult> &benchmarks);

} // namespace tercet::run
