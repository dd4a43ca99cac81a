// Barriers of a CTA: whole and counted, arrivals without waiting, reductions; misuse and deadlock.
#include "unit/simulator/SimCase.h"

#include <catch2/catch.hpp>

using namespace tercet;

namespace {

test::Run barrierRun(const std::string &body, uint32_t threads = 128) {
  sim::LaunchConfig config;
  config.block = {threads, 1, 1};
  return test::run(test::kernelText("shr.u32 %r4, %r0, 5;\n" + body, ".shared .align 4 .b8 buffer[512];"), config);
}

void violates(const std::string &body, const char *why) {
  INFO(body);
  auto result = barrierRun(body);
  CHECK(result.status.code() == Code::launchFailed);
  INFO(result.message());
  CHECK(result.message().find(why) != std::string::npos);
}

} // namespace

TEST_CASE("a barrier makes writes of all warps visible", "[simulator]") {
  for (uint32_t quantum : {0u, 1u, 3u})
    for (uint32_t threads : {128u, 100u}) {
      sim::LaunchConfig config;
      config.block = {threads, 1, 1};
      config.quantum = quantum;
      config.order = sim::WarpOrder::seeded;
      config.seed = quantum + threads;
      config.checks.races = true;
      auto result = test::run(test::kernelText(fmt::format("shl.b32 %r4, %r0, 2; st.shared.u32 [%r4], %r0; bar.sync 0; "
                                                           "sub.u32 %r5, {}, %r4; ld.shared.u32 %rd4, [%r5]; "
                                                           "st.global.u64 [%rd1], %rd4;",
                                                           4 * (threads - 1)),
                                               ".shared .align 4 .b8 buffer[512];"),
                              config);
      REQUIRE(result.message() == "ok");
      for (size_t i = 0; i < threads; ++i)
        CHECK(result.out[i] == threads - 1 - i);
      CHECK(result.report.barriers == 1);
    }
}

TEST_CASE("producers arrive, consumers wait", "[simulator]") {
  auto result = barrierRun(
      "setp.lt.u32 %p0, %r4, 2; @%p0 bra produce; barrier.cta.sync.aligned 1, 128; ld.shared.u32 %rd4, [buffer]; "
      "st.global.u64 [%rd1], %rd4; "
      "bra out;\nproduce: setp.eq.u32 %p1, %r0, 0; @%p1 st.shared.u32 [buffer], 55; bar.arrive 1, 128;\nout:");
  REQUIRE(result.message() == "ok");
  CHECK(result.out[127] == 55);
}

TEST_CASE("reductions over a barrier", "[simulator]") {
  auto result = barrierRun("setp.ge.u32 %p0, %r0, 100; bar.red.popc.u32 %r5, 0, %p0; bar.red.and.pred %p1, 1, 128, "
                           "%p0; bar.red.or.pred %p2, 0, !%p0;\n"
                           "selp.u32 %r6, 1000, 0, %p1; selp.u32 %r7, 10000, 0, %p2; add.u32 %r5, %r5, %r6; add.u32 "
                           "%r5, %r5, %r7; cvt.u64.u32 %rd4, %r5; "
                           "st.global.u64 [%rd1], %rd4;");
  REQUIRE(result.message() == "ok");
  for (uint64_t out : result.out)
    CHECK(out == 10028);
}

TEST_CASE("threads that have exited are not waited for at a barrier of all", "[simulator]") {
  CHECK(barrierRun("setp.eq.u32 %p0, %r4, 3; @%p0 exit; bar.sync 0;").message() == "ok");
}

TEST_CASE("misused barriers are violations", "[simulator]") {
  violates("setp.eq.u32 %p0, %r4, 0; @%p0 bar.sync 1, 64; @!%p0 bar.sync 1, 96;", "while others wait for 64");
  violates("bar.sync 1, 48;", "takes a multiple of 32");
  violates("bar.sync 1, 160;", "up to the CTA's 128");
  violates("bar.sync 16;", "barrier 16 does not exist");
  violates("bar.arrive 1, 64; bar.arrive 1, 96;", "while others wait");
  violates("setp.lt.u32 %p0, %r0, 16; @%p0 bar.sync 0;", "have exited");
  violates("bar.sync %r0;", "different barriers");
}

TEST_CASE("a deadlock says who waits for what", "[simulator]") {
  auto result = barrierRun("setp.eq.u32 %p0, %r4, 0; @%p0 bra out; bar.sync 2, 128;\nout:");
  CHECK(result.status.code() == Code::launchFailed);
  INFO(result.message());
  CHECK(result.message().find(
            "deadlock: warp 1 (lanes 0xffffffff) waits at line 13 for barrier 2, where 96 of 128 threads are") !=
        std::string::npos);
  CHECK(result.message().find("warp 3") != std::string::npos);
  CHECK(result.message().find("warp 0") == std::string::npos);
}

TEST_CASE("a kernel that does not end is stopped", "[simulator]") {
  sim::LaunchConfig config;
  config.maxInstructions = 10000;
  auto result = test::runBody("again: bra again;", config);
  CHECK(result.message().find("stopped after") != std::string::npos);
  CHECK(test::runBody("again: nanosleep.u32 20; bra again;", config).message().find("every warp polls") !=
        std::string::npos);
}
