// The books: what was measured when, what is out and why, and how long things take.
#include "Search.h"

#include <algorithm>

namespace tercet::tune {

Search::Search(const Space &space, Bench &bench, const TuneOptions &options)
    : space(space), bench(bench), options(options), explorer(space, options.first), random(options.seed),
      isLive(space.candidates.size(), false), sampleSeconds(space.candidates.size(), 0.0) {
  result.candidates.resize(space.candidates.size());
}

Status Search::prepare(size_t candidate) {
  double begin = bench.seconds();
  Status prepared = bench.prepare(candidate);
  of(candidate).prepareSeconds = bench.seconds() - begin;
  of(candidate).outcome = Outcome::raced;
  isLive[candidate] = prepared.ok();
  return prepared;
}

Status Search::verify(size_t candidate) {
  if (of(candidate).outcome == Outcome::verified)
    return {};
  double begin = bench.seconds();
  Status verified = bench.verify(candidate);
  double seconds = bench.seconds() - begin;
  verifySeconds = std::max(verifySeconds, seconds);
  gateSeconds += seconds;
  if (verified.ok())
    of(candidate).outcome = Outcome::verified;
  return verified;
}

bool Search::sample(size_t candidate) {
  double begin = bench.seconds();
  Result<Measurement> measured = bench.measure(candidate);
  sampleSeconds[candidate] = bench.seconds() - begin;
  if (!measured.ok()) {
    if (candidate == 0) // what all others are measured beside
      of(candidate).note = measured.status().message();
    else
      putOut(candidate, Outcome::failed, std::string(measured.status().message()));
    return false;
  }
  result.samples.push_back({candidate, *measured});
  return true;
}

void Search::putOut(size_t candidate, Outcome to, std::string note) {
  if (of(candidate).outcome != Outcome::verified || to != Outcome::raced)
    of(candidate).outcome = to;
  of(candidate).note = std::move(note);
  isLive[candidate] = false;
  bench.release(candidate);
}

void Search::refresh() {
  std::vector<Estimate> estimates = estimateCosts(result.samples, space.candidates.size());
  for (size_t i = 0; i < estimates.size(); ++i)
    of(i).estimate = estimates[i];
  best = bestVerified();
}

std::vector<size_t> Search::live() const {
  std::vector<size_t> found;
  for (size_t i = 0; i < isLive.size(); ++i)
    if (isLive[i])
      found.push_back(i);
  std::stable_sort(found.begin(), found.end(), [&](size_t a, size_t b) {
    return result.candidates[a].estimate.cost < result.candidates[b].estimate.cost;
  });
  return found;
}

double Search::expectedPreparation() const {
  double sum = 0, count = 0, longest = 0;
  for (const CandidateResult &candidate : result.candidates)
    if (candidate.outcome != Outcome::untried) {
      sum += candidate.prepareSeconds;
      longest = std::max(longest, candidate.prepareSeconds);
      ++count;
    }
  return count > 0 ? (sum / count + longest) / 2 : 0;
}

size_t Search::bestVerified() const {
  for (size_t candidate : live())
    if (result.candidates[candidate].outcome == Outcome::verified)
      return candidate;
  return 0;
}

double Search::roundSeconds(const std::vector<size_t> &order) const {
  double sum = 0;
  for (size_t candidate : order)
    sum += sampleSeconds[candidate];
  return sum;
}

void Search::report(const char *phase) {
  if (options.progress)
    options.progress({phase, elapsed(), result.tried(), best, of(best).estimate.cost});
}

size_t TuneResult::tried() const {
  auto isTried = [](const CandidateResult &candidate) { return candidate.outcome != Outcome::untried; };
  return static_cast<size_t>(std::count_if(candidates.begin(), candidates.end(), isTried));
}

std::string TuneResult::doubt() const {
  // A gain below it is not worth a row; where the interval reaches beyond it, the default may still not be the best.
  constexpr double clearGain = 1.05;
  if (beatsDefault())
    return "";
  if (wasStopped)
    return "the search was interrupted before it found anything better than the default";
  if (tried() < 2 && !isWhole)
    return "the budget was too short to try anything but the default";
  if (gain.pairs > 0 && gain.high > clearGain)
    return fmt::format("the machine was too busy to tell the best from the default ({:.2f} to {:.2f} x its speed)",
                       gain.low, gain.high);
  return "";
}

const char *outcomeName(Outcome outcome) {
  switch (outcome) {
  case Outcome::untried:
    return "untried";
  case Outcome::failed:
    return "failed";
  case Outcome::wrong:
    return "wrong";
  case Outcome::dropped:
    return "dropped";
  case Outcome::raced:
    return "raced";
  case Outcome::verified:
    return "verified";
  }
  return "";
}

Result<TuneResult> tune(const Space &space, Bench &bench, const TuneOptions &options) {
  if (space.candidates.empty())
    return Status::make(Code::invalidArgument, "kernel '{}' has no candidates to tune", space.kernel);
  if (!(options.budgetSeconds > 0))
    return Status::make(Code::invalidArgument, "the budget is {} seconds; it must be above 0", options.budgetSeconds);
  return Search(space, bench, options).run();
}

} // namespace tercet::tune
