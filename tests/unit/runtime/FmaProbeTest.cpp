#include "tercet/rt/FmaProbe.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <stdexcept>

using namespace tercet;
using namespace tercet::rt;

static const ProbeOptions brief{.threads = 1, .milliseconds = 0.1, .level = {}};

TEST_CASE("the probe gives a finite rate at every level, also at one the processor lacks", "[probe]") {
  for (CpuLevel level : {CpuLevel::portable, CpuLevel::v3, CpuLevel::v4})
    for (int threads : {1, 3}) {
      INFO(cpuLevelName(level) << ", " << threads << " threads");
      double rate = measureFmaPeak({.threads = threads, .milliseconds = 0.2, .level = level});
      CHECK(std::isfinite(rate));
      CHECK(rate > 1e6); // any processor that runs this does a million operations in a second
    }
}

TEST_CASE("a fraction is taken against the mean of the two probes", "[probe]") {
  BracketedTime time{.seconds = 2, .peakBefore = 90, .peakAfter = 110};
  CHECK(time.peak() == 100);
  CHECK(time.fraction(100) == 0.5);
}

TEST_CASE("bracketed work runs once, and its exception passes", "[probe]") {
  int runs = 0;
  BracketedTime time = timeBracketed([&] { ++runs; }, brief);
  CHECK(runs == 1);
  CHECK(time.seconds >= 0);
  CHECK(time.peakBefore > 0);
  CHECK(time.peakAfter > 0);
  auto fails = [] { (void)timeBracketed([] { throw std::runtime_error("work"); }, brief); };
  CHECK_THROWS_AS(fails(), std::runtime_error);
}
