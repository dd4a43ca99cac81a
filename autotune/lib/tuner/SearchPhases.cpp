// The phases. Shares of the budget: screening takes up to 55 %, for it compiles; the race a third of what is then left; of the
// rest the final takes 60 %, whose samples choose, and the duel 40 %, whose samples tell the gain.
#include "Search.h"

#include <algorithm>

namespace tercet::tune {
namespace {

constexpr double screenShare = 0.55, raceShare = 1.0 / 3, finalShare = 0.6, verifyShare = 0.25;
constexpr int samplesOfScreening = 3;
/// One sample beyond this many times the bound drops a candidate; within it a neighbour may have been at work.
constexpr double hopeless = 3;
constexpr double clearlyBetter = 0.97;
constexpr double secondsWhenStopped = 3; // for the duel, but for the fewest pairs that can show a difference
constexpr int64_t mostPairsWhenStopped = 15;

} // namespace

Result<TuneResult> Search::run() {
  began = bench.seconds();
  TERCET_RETURN_IF_ERROR(openDefault());
  screen(options.budgetSeconds * screenShare);
  result.isWhole = result.tried() == space.candidates.size();
  race(std::min(elapsed() + (options.budgetSeconds - elapsed()) * raceShare,
                duelBegin() - static_cast<double>(options.finalists) * verifySeconds));
  if (!stopped())
    decide();
  if (stopped() && result.gain.pairs < fewestPairs)
    concludeStopped();
  refresh();
  result.wasStopped = stopped();
  result.seconds = elapsed();
  return std::move(result);
}

double Search::duelBegin() const {
  return options.budgetSeconds - 1.1 * static_cast<double>(fewestPairs) * (sampleSeconds[0] + sampleSeconds[best]);
}

Status Search::openDefault() {
  TERCET_RETURN_IF_ERROR(prepare(0));
  TERCET_RETURN_IF_ERROR(verify(0));
  for (int i = 0; i < samplesOfScreening; ++i)
    if (!sample(0))
      return Status::make(Code::launchFailed, "the default schedule of '{}' cannot be measured: {}", space.kernel,
                          of(0).note);
  refresh();
  report("screening");
  return {};
}

void Search::screen(double until) {
  // Where launches are long, a few candidates may take the time of the race, but not that of gate and duel.
  auto fitsOneMore = [&] {
    double one = expectedPreparation() + (samplesOfScreening + 1) * sampleSeconds[0];
    return fits(one, until) || (result.tried() <= options.finalists && fits(one + verifySeconds, duelBegin()));
  };
  while (!stopped() && fitsOneMore()) {
    std::optional<size_t> candidate = explorer.next(best);
    if (!candidate)
      return;
    if (Status prepared = prepare(*candidate); prepared.ok())
      screenOne(*candidate);
    else
      putOut(*candidate, Outcome::failed, std::string(prepared.message()));
    report("screening");
  }
}

// The default in between tells how fast the machine is at that moment.
void Search::screenOne(size_t candidate) {
  double bound = options.dropBeyond;
  if (!sample(candidate) || !sample(0))
    return;
  refresh();
  if (of(candidate).estimate.least > hopeless * bound * of(best).estimate.cost)
    return putOut(candidate, Outcome::dropped);
  for (int i = 1; i < samplesOfScreening; ++i)
    if (!sample(candidate))
      return;
  refresh();
  if (of(candidate).estimate.least > bound * of(best).estimate.cost)
    return putOut(candidate, Outcome::dropped);
  if (of(candidate).estimate.cost < clearlyBetter * of(best).estimate.cost)
    confirm(candidate);
}

// What drops others is right itself. The gate is slow: only a clear step forward takes it here, the rest in the final.
void Search::confirm(size_t candidate) {
  if (gateSeconds + verifySeconds > verifyShare * options.budgetSeconds || !fits(verifySeconds, options.budgetSeconds))
    return;
  if (Status verified = verify(candidate); !verified.ok())
    putOut(candidate, Outcome::wrong, std::string(verified.message()));
  refresh();
}

// Rungs of equal time: as few are left, each is measured more often.
void Search::race(double until) {
  size_t rungs = 0, goal = options.finalists + 1;
  for (size_t left = live().size(); left > goal; left = std::max(goal, (left + 1) / 2))
    ++rungs;
  for (; rungs > 0 && !stopped(); --rungs) {
    double end = elapsed() + (until - elapsed()) / static_cast<double>(rungs);
    for (int64_t round = 0; round < options.mostRounds && !stopped(); ++round) {
      std::vector<size_t> order = live();
      std::shuffle(order.begin(), order.end(), random);
      if (!fits(roundSeconds(order), end))
        break;
      for (size_t candidate : order)
        sample(candidate);
      report("race");
    }
    refresh();
    keepBetterHalf();
  }
}

void Search::keepBetterHalf() {
  std::vector<size_t> ranked = live();
  size_t kept = std::max(options.finalists + 1, (ranked.size() + 1) / 2);
  for (size_t i = kept; i < ranked.size(); ++i)
    if (ranked[i] != 0)
      putOut(ranked[i], Outcome::raced);
}

size_t Search::finalistCount() const {
  if (verifySeconds <= 0)
    return options.finalists;
  double affordable = verifyShare * options.budgetSeconds / verifySeconds;
  return std::clamp<size_t>(static_cast<size_t>(affordable), 1, options.finalists);
}

void Search::decide() {
  std::vector<size_t> order = {0};
  for (size_t candidate : live()) {
    if (candidate == 0)
      continue;
    if (order.size() > finalistCount() || stopped() || !fits(verifySeconds, options.budgetSeconds))
      break;
    if (Status verified = verify(candidate); verified.ok())
      order.push_back(candidate);
    else
      putOut(candidate, Outcome::wrong, std::string(verified.message()));
    report("final");
  }
  double until = std::min(elapsed() + (options.budgetSeconds - elapsed()) * finalShare, duelBegin());
  for (int64_t round = 0; order.size() > 1 && round < options.mostRounds; ++round) {
    if (stopped() || !fits(roundSeconds(order), until))
      break;
    std::shuffle(order.begin(), order.end(), random);
    std::erase_if(order, [&](size_t candidate) { return !sample(candidate) && candidate != 0; });
    if (round % 8 == 7)
      refresh();
    report("final");
  }
  refresh();
  if (!stopped())
    duel(options.mostRounds, [&] { return stopped() || !fits(roundSeconds({0, best}), options.budgetSeconds); });
}

// Samples of its own, for those that chose the best flatter it.
void Search::duel(int64_t rounds, const std::function<bool()> &isOver) {
  size_t chosen = best;
  std::vector<double> &slow = result.pairedDefault, &fast = result.pairedBest;
  slow.clear(), fast.clear();
  for (int64_t round = 0; chosen != 0 && round < rounds && !isOver(); ++round) {
    bool swaps = random() % 2 == 0;
    size_t before = result.samples.size();
    if (!sample(swaps ? chosen : 0) || !sample(swaps ? 0 : chosen))
      break;
    slow.push_back(result.samples[before + swaps].measured.ms);
    fast.push_back(result.samples[before + !swaps].measured.ms);
    report("duel");
  }
  result.gain = ratioOf(slow, fast);
  result.best = isLive[chosen] && result.gain.median >= 1 ? chosen : 0;
}

// What was found so far is kept: the best that passes the gate, beside the default for as few rounds as can tell.
void Search::concludeStopped() {
  refresh();
  for (size_t candidate : live()) {
    if (candidate == 0)
      break;
    if (Status verified = verify(candidate); verified.ok())
      break;
    else
      putOut(candidate, Outcome::wrong, std::string(verified.message()));
  }
  refresh();
  double affordable = std::min(100.0, secondsWhenStopped / std::max(1e-9, roundSeconds({0, best})));
  duel(std::clamp(static_cast<int64_t>(affordable), fewestPairs, mostPairsWhenStopped), [] { return false; });
}

} // namespace tercet::tune
