// Tuner: the best of a space's candidates on this machine, within a budget of seconds (docs/autotuning.md#tuning).
//
// Three phases. Screening: candidates are prepared one after the other, by turns the one that the model ranks best and the
// one that differs in the fewest knobs from the best so far, and measured a few times with the best so far in
// between; one that is beyond `dropBeyond` times the best is dropped. Race: those left are measured in rounds, one sample each in a
// random order, and the worse half leaves, again and again. Final: the best few pass the correctness gate, and are
// measured in rounds together with the default; the best of them has a duel with the default, whose samples choose nothing.
#pragma once

#include "tercet/autotune/Bench.h"
#include "tercet/autotune/Candidate.h"

#include <atomic>
#include <functional>

namespace tercet::tune {

/// What a search is at, for whoever watches.
struct TuneProgress {
  const char *phase = "";
  double seconds = 0; ///< of the budget, so far
  size_t tried = 0;   ///< candidates that were prepared
  size_t best = 0;    ///< the best so far
  double bestMs = 0;
};

struct TuneOptions {
  double budgetSeconds = 60; ///< compilation included; kept within 10 %, but for what the default alone takes
  double dropBeyond = 1.25;
  size_t finalists = 3;      ///< beside the default
  int64_t mostRounds = 101;  ///< of each phase: short kernels need no long budget
  uint64_t seed = 0;         ///< of the orders of rounds
  std::vector<size_t> first; ///< candidates to try before all others, such as what was the best for such calls before
  const std::atomic<bool> *stop =
      nullptr; ///< once true: the search ends with what was found, which then passes the gate
  std::function<void(const TuneProgress &)> progress;
};

enum class Outcome {
  untried,  ///< the budget did not reach it
  failed,   ///< did not compile or launch
  wrong,    ///< did not pass the correctness gate
  dropped,  ///< beyond `dropBeyond` times the best
  raced,    ///< left in the race, or the search ended before the final
  verified, ///< passed the gate
};
const char *outcomeName(Outcome outcome);

struct CandidateResult {
  Outcome outcome = Outcome::untried;
  Estimate estimate;
  double prepareSeconds = 0;
  std::string note; ///< why it failed or is wrong
};

struct TuneResult {
  size_t best = 0;                         ///< passed the gate
  std::vector<CandidateResult> candidates; ///< as the space's
  std::vector<Sample> samples;
  std::vector<double> pairedDefault, pairedBest; ///< ms, of the duel's rounds
  Ratio gain;                                    ///< the default's time by the best's, side by side in the duel
  /// Whether the best is better than the default by more than the spread: the whole interval of `gain` is above 1.
  bool beatsDefault() const { return best != 0 && gain.low > 1; }
  double seconds = 0;      ///< what the search took
  bool isWhole = false;    ///< every candidate was tried
  bool wasStopped = false; ///< by TuneOptions::stop
  size_t tried() const;
  /// Why nothing is worth a row of the database; empty: the best is, or that the default is the best. A later row takes the place of
  /// an earlier one, so what does not know which schedule is the best is not written.
  std::string doubt() const;
};

/// Errors: invalidArgument for an empty space or a budget that is not above 0; those of the bench about the default, without
/// which nothing can be compared.
Result<TuneResult> tune(const Space &space, Bench &bench, const TuneOptions &options);

} // namespace tercet::tune
