// CoverageRecord: one line per system, spec, mode and target that a test proved, for docs/coverage.md (tests/coverage.py).
#pragma once

#include <string>

namespace tercet::test {

struct CoverageRecord {
  std::string system, spec, mode, target, test;
};

/// Appends to the file that COVERAGE_RECORDS names; without it does nothing.
void recordCoverage(const CoverageRecord &record);

} // namespace tercet::test
