// Search: one run of tune(): the books of a search, and its phases.
#pragma once

#include "tercet/autotune/Tuner.h"

#include "Explorer.h"

#include <random>

namespace tercet::tune {

class Search {
public:
  Search(const Space &space, Bench &bench, const TuneOptions &options);
  Result<TuneResult> run();

private:
  // Phases, in order (SearchPhases.cpp).
  Status openDefault();
  void screen(double until);
  void race(double until);
  void decide();

  void screenOne(size_t candidate);
  void confirm(size_t candidate);
  void keepBetterHalf();
  size_t finalistCount() const;
  /// When there is time for the fewest rounds of a duel, and no more.
  double duelBegin() const;
  void duel(int64_t rounds, const std::function<bool()> &isOver);
  void concludeStopped();

  // Books (Search.cpp).
  Status prepare(size_t candidate);
  Status verify(size_t candidate); ///< asks the bench once
  /// False where the launch failed, which puts the candidate out, but for the default.
  bool sample(size_t candidate);
  /// Out of the race, with `to`; the bench is told.
  void putOut(size_t candidate, Outcome to, std::string note = "");
  void refresh();
  void report(const char *phase);
  double elapsed() const { return bench.seconds() - began; }
  bool stopped() const { return options.stop && options.stop->load(); }
  /// Whether something of that length ends before `until`.
  bool fits(double seconds, double until) const { return elapsed() + seconds <= until; }
  /// Of the next preparation, by those so far.
  double expectedPreparation() const;
  /// Of one sample of each.
  double roundSeconds(const std::vector<size_t> &order) const;
  CandidateResult &of(size_t candidate) { return result.candidates[candidate]; }
  size_t bestVerified() const;
  std::vector<size_t> live() const; ///< in the race, and the default, by cost

  const Space &space;
  Bench &bench;
  const TuneOptions &options;
  TuneResult result;
  Explorer explorer;
  std::mt19937_64 random;
  double began = 0;
  double verifySeconds = 0, gateSeconds = 0; ///< of the longest verification, and of all
  std::vector<bool> isLive;
  std::vector<double> sampleSeconds; ///< of the last sample, probes included
  size_t best = 0;                   ///< of those verified
};

} // namespace tercet::tune
