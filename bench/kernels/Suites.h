// The suites: each answers one group of the project's speed questions and fills one result file.
#pragma once

#include "../harness/ResultFile.h"
#include "Workload.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>

namespace tercet::bench {

struct SuiteOptions {
  bool quick = false;  ///< fewer repetitions and shorter sequences: shows that it runs, not how fast
  std::string command; ///< for the result file
  int repetitions(int full) const { return quick ? std::max(3, full / 7) : full; }
  /// Bars are set for the full size and not applied to a quick run.
  std::optional<Bar> atLeast(double value) const { return quick ? std::nullopt : std::optional(Bar{value, true}); }
  std::optional<Bar> atMost(double value) const { return quick ? std::nullopt : std::optional(Bar{value, false}); }
};

/// Calls `run` with the shapes of dense calls at 4096 tokens, each on one thread and on all.
void eachDenseCall(const SuiteOptions &options, const std::function<void(const Shape &, int threads)> &run);

/// Dense f32 at 4096 tokens against the FMA peak and the baselines, interleaved.
ResultFile denseSuite(const SuiteOptions &options);
/// The backward of dense f32 at 4096 tokens against the FMA peak, beside its forward.
ResultFile gradientSuite(const SuiteOptions &options);
/// sla and sla_all at 32,760 tokens: per stage, against own dense.
ResultFile slaSuite(const SuiteOptions &options);
/// keep = 100 % against dense.
ResultFile fullSuite(const SuiteOptions &options);
/// Spec text to first answer in a fresh process: `tercet run`, which lies beside this executable.
ResultFile coldSuite(const SuiteOptions &options);
/// Score regions, masks, static patterns and rules of selection, each against the same call without it.
ResultFile languageSuite(const SuiteOptions &options);
/// Workspace against the bytes of K.
ResultFile memorySuite(const SuiteOptions &options);

} // namespace tercet::bench
