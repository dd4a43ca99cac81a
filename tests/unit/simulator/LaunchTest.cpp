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

TEST_CASE("device functions are inlined, tables of branches followed", "[simulator]") {
  const char *function =
      ".func (.param .b32 result) twice(.param .b32 x, .param .align 4 .b8 y[8])\n"
      "{ .reg .b32 %a<4>; .reg .pred %q; ld.param.u32 %a0, [x]; ld.param.u32 %a1, [y+4]; setp.gt.u32 %q, %a0, 20;\n"
      "@%q bra big; add.u32 %a0, %a0, %a1; st.param.b32 [result+0], %a0; ret;\nbig: st.param.b32 [result], 7; ret; }\n";
  std::string body = "mov.u32 %r9, 3;\n";
  for (int call = 0; call < 2; ++call)
    body +=
        "{ .param .b32 a; .param .align 4 .b8 b[8]; .param .b32 c; st.param.b32 [a+0], %r9; st.param.b32 [b+4], %r0;\n"
        "call.uni (c),\ntwice,\n(\na,\nb\n);\nld.param.b32 %r9, [c+0]; }\n";
  auto result = run(test::kernelText(body + "cvt.u64.u32 %rd4, %r9; st.global.u64 [%rd1], %rd4;", function));
  REQUIRE(result.message() == "ok");
  for (uint64_t lane = 0; lane < 32; ++lane)
    CHECK(result.out[lane] == (3 + lane > 20 ? 7 : 3 + 2 * lane));

  result = runBody(
      "and.b32 %r5, %r0, 3; mov.u32 %r4, 100;\ntable: .branchtargets zero, one, two;\nsetp.eq.u32 %p0, %r5, 3; @%p0 "
      "bra over;\n"
      "brx.idx %r5, table;\ntwo: add.u32 %r4, %r4, 1;\none: add.u32 %r4, %r4, 10; bra over;\nzero: mov.u32 %r4, 0;\n"
      "over: cvt.u64.u32 %rd4, %r4; st.global.u64 [%rd1], %rd4;");
  REQUIRE(result.message() == "ok");
  CHECK(std::vector<uint64_t>(result.out.begin(), result.out.begin() + 4) == std::vector<uint64_t>{0, 110, 111, 100});
  CHECK(runBody("table: .branchtargets a;\nbrx.idx %r0, table;\na: ret;")
            .message()
            .find("takes branch 1 of a table of 1") != std::string::npos);
  CHECK(runBody("call.uni nothing;").message().find("whose body is not in the text") != std::string::npos);
  CHECK(run(test::kernelText("call.uni f;", ".func f() { call.uni f; ret; }")).message().find("nest deeper") !=
        std::string::npos);
}

TEST_CASE("hints, fences and pauses change nothing; clocks go on", "[simulator]") {
  auto result = runBody(
      "prefetch.global.L2 [%rd0]; prefetch.global.L2::evict_last [%rd0]; prefetchu.L1 [%rd0]; membar.gl; membar.cta; "
      "fence.acq_rel.gpu;\n"
      "fence.sc.cta; griddepcontrol.wait; griddepcontrol.launch_dependents; pmevent 3; nanosleep.u32 100; "
      "ldu.global.u64 %rd4, [%rd0];\n"
      "mov.u64 %rd5, %clock64; mov.u32 %r4, %clock; mov.u64 %rd6, %clock64; setp.gt.u64 %p0, %rd6, %rd5; @!%p0 trap;\n"
      "st.global.u64 [%rd1], %rd4;",
      {}, std::vector<uint64_t>(32, 11));
  REQUIRE(result.message() == "ok");
  CHECK(result.out == std::vector<uint64_t>(32, 11));
}
