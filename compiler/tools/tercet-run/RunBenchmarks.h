// RunBenchmarks: shapes timed by graph replay on seeded data.
#pragma once

#include "RunCases.h"

namespace tercet::run {

struct BenchmarkOptions {
  int64_t repetitions = 50;
  int64_t warmUps = 5;
  int64_t largestTokens = 0; ///< longer shapes are skipped; 0: none is
};

/// Never fails: what goes wrong is told in the result. On the CPU, launches are timed instead of replays.
BenchmarkResult runBenchmark(const RunTarget &target, const BenchmarkEntry &entry, const BenchmarkOptions &options);

} // namespace tercet::run
