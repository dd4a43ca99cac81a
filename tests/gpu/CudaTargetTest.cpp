// Architecture names.
#include "tercet/compiler/cuda/CudaTarget.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::compiler;

TEST_CASE("an architecture's name gives its number, variant and shared memory", "[cuda]") {
  Result<CudaTarget> a100 = parseCudaTarget("sm_80");
  REQUIRE(a100.ok());
  CHECK(a100->number == 80);
  CHECK(a100->variant == 0);
  CHECK(a100->sharedBytes == 163 * 1024);
  CHECK_FALSE(a100->hasWarpgroups);

  Result<CudaTarget> consumer = parseCudaTarget("sm_120f");
  REQUIRE(consumer.ok());
  CHECK(consumer->variant == 'f');
  CHECK(consumer->sharedBytes == 99 * 1024);
}

TEST_CASE("only sm_90a has warpgroup products", "[cuda]") {
  CHECK(parseCudaTarget("sm_90a")->hasWarpgroups);
  CHECK_FALSE(parseCudaTarget("sm_90")->hasWarpgroups);
  CHECK_FALSE(parseCudaTarget("sm_100a")->hasWarpgroups);
}

TEST_CASE("names that are no architecture of ours are refused with those that are", "[cuda]") {
  for (const char *name :
       {"sm_75", "sm_70", "sm_80a", "sm_90f", "sm_90ab", "sm_", "sm", "", "80", "cuda", "sm_8x", "sm_99999999999"}) {
    INFO(name);
    Result<CudaTarget> target = parseCudaTarget(name);
    REQUIRE_FALSE(target.ok());
    CHECK(target.status().code() == Code::unsupportedTarget);
    CHECK(target.status().message().find(fmt::format("'{}'", name)) == 0);
    CHECK(target.status().message().find("sm_80, sm_86") != std::string::npos);
  }
}
