// The search on made-up machines: it finds the best, keeps the budget, lets nothing wrong win and ends when told to.
#include "FakeBench.h"

#include <algorithm>

using tercet::Code, tercet::Result;
using namespace tercet::tune;

namespace {

/// Costs around 20 ms as those of real schedules are: a few good ones close together, and a long tail.
std::vector<double> drawCosts(size_t count, std::mt19937_64 &random) {
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<double> costs;
  for (size_t i = 0; i < count; ++i)
    costs.push_back(20 * (1 + 0.8 * std::pow(uniform(random), 2)));
  return costs;
}

/// What a floor model makes of costs: some of the truth.
std::vector<double> predict(const std::vector<double> &costs, std::mt19937_64 &random) {
  std::normal_distribution<double> normal(0, 0.2);
  std::vector<double> predicted;
  for (double cost : costs)
    predicted.push_back(cost * std::exp(normal(random)));
  return predicted;
}

double leastOf(const std::vector<double> &costs) { return *std::min_element(costs.begin(), costs.end()); }

} // namespace

TEST_CASE("the search is within 2 % of the optimum in 95 % of runs on a noisy machine", "[tuner]") {
  int good = 0, kept = 0, honest = 0;
  constexpr int runs = 200;
  for (uint64_t seed = 0; seed < runs; ++seed) {
    std::mt19937_64 random(seed);
    std::vector<double> costs = drawCosts(48, random);
    Space space = plainSpace(predict(costs, random));
    FakeBench bench(costs, seed);
    Result<TuneResult> result = tune(space, bench, {.budgetSeconds = 60, .seed = seed});
    REQUIRE(result.ok());
    good += costs[result->best] <= 1.02 * leastOf(costs);
    kept += bench.now - 100 <= 66;
    honest += result->gain.low <= costs[0] / costs[result->best] && costs[0] / costs[result->best] <= result->gain.high;
    CHECK(result->isWhole);
  }
  CAPTURE(good, kept, honest);
  CHECK(good >= 0.95 * runs);
  CHECK(kept == runs);
  CHECK(honest >= 0.95 * runs);
}

namespace {

/// Six knobs, 3456 candidates, costs that are a product over knobs and some pairs; the first is the default.
struct LargeSpace {
  Space space{"cpu", {}};
  std::vector<double> costs;

  explicit LargeSpace(uint64_t seed) {
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> uniform(0, 1);
    std::normal_distribution<double> normal(0, 0.15);
    const std::vector<int> sizes = {4, 4, 4, 3, 6, 3};
    std::vector<std::vector<double>> single;
    for (int size : sizes) {
      auto &values = single.emplace_back();
      for (int i = 0; i < size; ++i)
        values.push_back(0.25 * uniform(random));
    }
    double pair[4][4];
    for (auto &row : pair)
      for (double &value : row)
        value = 0.1 * uniform(random);
    std::vector<int> at(sizes.size(), 0);
    for (bool more = true; more;) {
      double cost = std::log(10.0) + pair[at[0]][at[1]];
      Candidate candidate;
      for (size_t knob = 0; knob < sizes.size(); ++knob) {
        cost += single[knob][at[knob]];
        candidate.knobs.emplace_back("k" + std::to_string(knob), std::to_string(at[knob]));
        candidate.text += std::to_string(at[knob]);
      }
      costs.push_back(std::exp(cost));
      candidate.predicted = std::exp(cost + normal(random));
      space.candidates.push_back(std::move(candidate));
      size_t knob = 0;
      while (knob < sizes.size() && ++at[knob] == sizes[knob])
        at[knob++] = 0;
      more = knob < sizes.size();
    }
  }
};

} // namespace

TEST_CASE("a space too large for the budget is searched knob by knob and by the model", "[tuner]") {
  int good = 0;
  constexpr int runs = 40;
  for (uint64_t seed = 0; seed < runs; ++seed) {
    LargeSpace large(seed);
    FakeBench bench(large.costs, seed);
    Result<TuneResult> result = tune(large.space, bench, {.budgetSeconds = 60, .seed = seed});
    REQUIRE(result.ok());
    CHECK_FALSE(result->isWhole);
    CHECK(result->tried() < 150);
    CHECK(bench.now - 100 <= 66);
    good += large.costs[result->best] <= 1.05 * leastOf(large.costs);
  }
  CAPTURE(good);
  CHECK(good >= 0.9 * runs);
}

TEST_CASE("the budget is kept whatever takes the time", "[tuner]") {
  struct Case {
    double prepare, verify, cost, budget;
  };
  for (Case each : {Case{3, 0.5, 20, 60}, Case{0.01, 0.01, 0.1, 10}, Case{0.2, 5, 20, 60}, Case{0.5, 1, 900, 60},
                    Case{0.5, 0.5, 20, 5}}) {
    CAPTURE(each.prepare, each.verify, each.cost, each.budget);
    std::vector<double> costs(40, each.cost);
    FakeBench bench(costs, 3, {.prepareSeconds = each.prepare, .verifySeconds = each.verify});
    Result<TuneResult> result = tune(plainSpace(costs), bench, {.budgetSeconds = each.budget});
    REQUIRE(result.ok());
    CHECK(bench.now - 100 <= 1.1 * each.budget);
    CHECK(result->seconds == Approx(bench.now - 100));
  }
}

TEST_CASE("candidates that were the best before are tried first, then by turns the model's best and the nearest",
          "[tuner]") {
  std::vector<double> costs(6, 20.0);
  Space space{"cpu", {}};
  for (const auto &[a, b, predicted] : std::vector<std::tuple<const char *, const char *, double>>{
           {"0", "0", 9}, {"0", "1", 8}, {"1", "1", 1}, {"1", "2", 2}, {"2", "0", 7}, {"2", "2", 3}})
    space.candidates.push_back({std::string(a) + b, {{"a", a}, {"b", b}}, predicted});
  FakeBench bench(costs, 1);
  REQUIRE(tune(space, bench, {.budgetSeconds = 20, .first = {5, 99, 0}}).ok());
  CHECK(bench.prepared == std::vector<size_t>{0, 5, 2, 4, 3, 1});
}

TEST_CASE("long launches leave time for a few candidates and a duel", "[tuner]") {
  std::vector<double> costs = {1000, 700, 1000, 1000, 1000, 1000};
  FakeBench bench(costs, 1, {.tail = 0, .burst = 0});
  Result<TuneResult> result = tune(plainSpace({2, 1, 3, 4, 5, 6}), bench, {.budgetSeconds = 26});
  REQUIRE(result.ok());
  CHECK(result->tried() > 1);
  CHECK(result->best == 1);
  CHECK(result->beatsDefault());
  CHECK(bench.now - 100 <= 1.1 * 26);
}

TEST_CASE("equal candidates do not beat the default", "[tuner]") {
  int beaten = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    FakeBench bench(std::vector<double>(20, 15.0), seed);
    Result<TuneResult> result =
        tune(plainSpace(std::vector<double>(20, 1.0)), bench, {.budgetSeconds = 30, .seed = seed});
    REQUIRE(result.ok());
    beaten += result->beatsDefault();
  }
  CHECK(beaten <= 5); // 2.5 % are expected
}

TEST_CASE("a better candidate beats the default, and the gain is told with its interval", "[tuner]") {
  std::vector<double> costs = {20, 25, 16, 30};
  FakeBench bench(costs, 1);
  Result<TuneResult> result = tune(plainSpace(costs), bench, {.budgetSeconds = 20});
  REQUIRE(result.ok());
  CHECK(result->best == 2);
  CHECK(result->beatsDefault());
  CHECK(result->gain.median == Approx(1.25).epsilon(0.03));
  CHECK(result->candidates[3].outcome == Outcome::dropped);
  CHECK(result->candidates[2].outcome == Outcome::verified);
}

TEST_CASE("a candidate that computes wrongly never wins", "[tuner]") {
  std::vector<double> costs = {20, 25, 10, 18};
  FakeBench bench(costs, 1);
  bench.wrong = 2;
  Result<TuneResult> result = tune(plainSpace(costs), bench, {.budgetSeconds = 20});
  REQUIRE(result.ok());
  CHECK(result->best == 3);
  CHECK(result->candidates[2].outcome == Outcome::wrong);
  CHECK(result->candidates[2].note == "o differs");
}

TEST_CASE("a candidate that does not compile is out, and the default must", "[tuner]") {
  std::vector<double> costs = {20, 25, 10, 18};
  FakeBench bench(costs, 1);
  bench.failing = 2;
  Result<TuneResult> result = tune(plainSpace(costs), bench, {.budgetSeconds = 20});
  REQUIRE(result.ok());
  CHECK(result->best == 3);
  CHECK(result->candidates[2].outcome == Outcome::failed);
  FakeBench broken(costs, 1);
  broken.failing = 0;
  CHECK(tune(plainSpace(costs), broken, {}).status().code() == Code::compileFailed);
  CHECK(tune(Space{"cpu", {}}, bench, {}).status().code() == Code::invalidArgument);
  CHECK(tune(plainSpace(costs), bench, {.budgetSeconds = 0}).status().code() == Code::invalidArgument);
}

TEST_CASE("a stop keeps what was found, once it passed the gate", "[tuner]") {
  std::vector<double> costs(30, 20.0);
  costs[1] = 14;
  for (size_t stopAt : {size_t(3), size_t(29)}) {
    std::atomic<bool> stop = false;
    FakeBench bench(costs, 1);
    bench.onPrepare = [&](size_t) { stop = bench.prepared.size() >= stopAt; };
    Result<TuneResult> result = tune(plainSpace(costs), bench, {.budgetSeconds = 60, .stop = &stop});
    REQUIRE(result.ok());
    CHECK(result->wasStopped);
    CHECK(result->tried() == stopAt);
    CHECK(result->best == 1);
    CHECK(result->beatsDefault());
  }
  std::atomic<bool> stop = true;
  FakeBench bench(costs, 1);
  Result<TuneResult> result = tune(plainSpace(costs), bench, {.budgetSeconds = 60, .stop = &stop});
  REQUIRE(result.ok());
  CHECK(result->best == 0);
}

TEST_CASE("whoever watches hears of every step", "[tuner]") {
  std::vector<double> costs = {20, 25, 16, 30};
  FakeBench bench(costs, 1);
  std::vector<std::string> phases;
  double last = 0;
  TuneOptions options{.budgetSeconds = 10};
  options.progress = [&](const TuneProgress &progress) {
    if (phases.empty() || phases.back() != progress.phase)
      phases.push_back(progress.phase);
    CHECK(progress.seconds >= last);
    last = progress.seconds;
    CHECK(progress.bestMs > 0);
  };
  REQUIRE(tune(plainSpace(costs), bench, options).ok());
  CHECK(phases == std::vector<std::string>{"screening", "final", "duel"});
}
