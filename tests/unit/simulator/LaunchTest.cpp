// What a launch promises: threads and CTAs, reports, equal results on any number of host threads, refusals.
#include "unit/simulator/SimCase.h"

#include <catch2/catch.hpp>

using namespace tercet;
using test::run;
using test::runBody;

TEST_CASE("every thread of every CTA runs once", "[simulator]") {
  sim::LaunchConfig config;
  config.grid = {3, 1, 1};
  config.block = {40, 1, 1};
  auto result = runBody("ld.global.u64 %rd3, [%rd0]; add.u64 %rd3, %rd3, %rd2; st.global.u64 [%rd1], %rd3;", config,
                        std::vector<uint64_t>(120, 7));
  REQUIRE(result.message() == "ok");
  for (size_t i = 0; i < result.out.size(); ++i)
    CHECK(result.out[i] == 7 + 8 * i);
  CHECK(result.report.warps == 6);
  CHECK(result.report.globalLoadBytes == 960);
  CHECK(result.report.globalStoreBytes == 960);
  CHECK(result.report.instructions["st.global"] == 6);
  // A CTA has 320 bytes: 10 sectors.
  CHECK(result.report.globalLoadSectors == 30);
}

TEST_CASE("results and counts do not depend on the host's threads", "[simulator]") {
  std::string body = "mov.u32 %r4, 0; and.b32 %r6, %r3, 7;\nagain: add.u32 %r4, %r4, %r6; add.u32 %r5, %r4, 1; "
                     "setp.lt.u32 %p0, %r4, 40;\n"
                     "setp.ne.u32 %p1, %r6, 0; and.pred %p0, %p0, %p1; @%p0 bra again;\n cvt.u64.u32 %rd4, %r4; "
                     "st.global.u64 [%rd1], %rd4;";
  sim::LaunchConfig config;
  config.grid = {37, 1, 1};
  config.block = {96, 1, 1};
  config.hostThreads = 1;
  auto one = runBody(body, config);
  config.hostThreads = 4;
  auto four = runBody(body, config);
  REQUIRE(one.message() == "ok");
  CHECK(one.out == four.out);
  CHECK(one.report.instructions == four.report.instructions);
  CHECK(one.out[1] == 40);
  CHECK(one.out[3] == 42);
  CHECK(one.out[8] == 0);
}

TEST_CASE("the first violation by CTA is reported, whichever thread finds one", "[simulator]") {
  sim::LaunchConfig config;
  config.grid = {64, 1, 1};
  config.hostThreads = 4;
  auto result = runBody("setp.ge.u32 %p0, %r1, 5; @%p0 trap;", config);
  CHECK(result.status.code() == Code::launchFailed);
  CHECK(result.message().find("executes a trap") != std::string::npos);
  CHECK(result.message().find("CTA (5, 0, 0)") != std::string::npos);
}

TEST_CASE("what a driver would refuse is refused", "[simulator]") {
  auto refused = [](sim::LaunchConfig config, const char *why, const char *directives = "") {
    auto result = run(test::kernelText("", "", directives), config);
    CHECK(result.status.code() == Code::invalidArgument);
    INFO(result.message());
    CHECK(result.message().find(why) != std::string::npos);
  };
  sim::LaunchConfig config;
  config.block = {0, 1, 1};
  refused(config, "empty");
  config.block = {2048, 1, 1};
  refused(config, "at most 1024");
  config.block = {64, 1, 1};
  refused(config, "compiled for at most 32", ".maxntid 32, 1, 1");
  refused(config, "it needs (32, 1, 1)", ".reqntid 32");
  config.dynamicShared = 228 * 1024;
  refused(config, "there are 232448");
  config.dynamicShared = 0;
  config.cluster = {2, 1, 1};
  refused(config, "not made of clusters");
}
