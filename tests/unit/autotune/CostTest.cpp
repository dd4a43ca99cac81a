// What samples come to: costs without drift, intervals of ratios.
#include "FakeBench.h"

using namespace tercet::tune;

TEST_CASE("costs of candidates measured at different times are compared without the machine's drift", "[tuner]") {
  std::vector<Sample> samples; // 0 all the time, 1 early, 2 late on a machine that has become 1.5 x slower
  for (int i = 0; i < 40; ++i) {
    double slower = i < 20 ? 1.0 : 1.5;
    samples.push_back({0, {10 * slower}});
    samples.push_back({static_cast<size_t>(i < 20 ? 1 : 2), {(i < 20 ? 10.5 : 9.5) * slower}});
  }
  std::vector<Estimate> estimates = estimateCosts(samples, 3);
  CHECK(estimates[0].cost == Approx(10).epsilon(0.01));
  CHECK(estimates[1].cost == Approx(10.5).epsilon(0.01));
  CHECK(estimates[2].cost == Approx(9.5).epsilon(0.01));
  CHECK(estimates[2].median == Approx(9.5 * 1.5));
  CHECK(estimates[1].samples == 20);
}

TEST_CASE("a probe's peak scales the times of a machine that changes its clock from sample to sample", "[tuner]") {
  std::vector<Sample> samples;
  for (int i = 0; i < 30; ++i) {
    double clock = i % 3 == 0 ? 1.0 : i % 3 == 1 ? 0.8 : 0.6;
    samples.push_back({static_cast<size_t>(i % 2), {(i % 2 ? 11 : 10) / clock, 1e12 * clock}});
  }
  std::vector<Estimate> estimates = estimateCosts(samples, 2);
  CHECK(estimates[1].cost / estimates[0].cost == Approx(1.1).epsilon(1e-9));
}

TEST_CASE("a probe whose peaks have nothing to do with the times is not listened to", "[tuner]") {
  std::vector<Sample> samples;
  for (int i = 0; i < 30; ++i)
    samples.push_back({static_cast<size_t>(i % 2), {i % 2 ? 11.0 : 10.0, i % 3 == 0 ? 1e12 : 6e11}});
  std::vector<Estimate> estimates = estimateCosts(samples, 2);
  CHECK(estimates[0].cost == Approx(10).epsilon(1e-9));
  CHECK(estimates[1].cost == Approx(11).epsilon(1e-9));
}

TEST_CASE("a cost survives neighbours that take more than half of the samples", "[tuner]") {
  std::vector<Sample> samples;
  for (size_t i = 0; i < 60; ++i)
    samples.push_back({i % 2, {(i % 2 ? 12.0 : 10.0) * (i / 2 % 5 < 3 ? 1 + 0.3 * static_cast<double>(i % 7) : 1)}});
  std::vector<Estimate> estimates = estimateCosts(samples, 2);
  CHECK(estimates[1].cost / estimates[0].cost == Approx(1.2).epsilon(0.05));
}

TEST_CASE("a candidate without samples has an estimate of nothing", "[tuner]") {
  CHECK(estimateCosts({}, 2)[1].samples == 0);
  std::vector<Sample> one = {{0, {3.0}}};
  CHECK(estimateCosts(one, 2)[0].cost == Approx(3.0));
  CHECK(estimateCosts(one, 2)[1].cost == 0);
}

TEST_CASE("the interval of a ratio holds the true one in 95 % of cases, whatever the tails are", "[tuner]") {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> uniform(0, 1);
  auto noise = [&] { return 1 + (uniform(random) < 0.1 ? 5 * uniform(random) : 0.05 * uniform(random)); };
  int inside = 0;
  for (int run = 0; run < 1000; ++run) {
    std::vector<double> slow, fast;
    for (int i = 0; i < 25; ++i) {
      slow.push_back(1.1 * noise());
      fast.push_back(noise());
    }
    Ratio ratio = ratioOf(slow, fast);
    inside += ratio.low <= 1.1 && 1.1 <= ratio.high;
  }
  CHECK(inside >= 950);
}

TEST_CASE("fewer than six pairs show no difference", "[tuner]") {
  std::vector<double> slow = {2, 2, 2, 2, 2}, fast = {1, 1, 1, 1, 1};
  CHECK(ratioOf(slow, fast).median == 2);
  CHECK(ratioOf(slow, fast).low == 1);
  slow.push_back(2), fast.push_back(1);
  CHECK(ratioOf(slow, fast).low == 2);
  CHECK(ratioOf({}, {}).pairs == 0);
}
