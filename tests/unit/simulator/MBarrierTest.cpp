// mbarriers: phases, counts, bytes, states, and what PTX forbids.
#include "unit/simulator/AsyncCase.h"

#include <catch2/catch.hpp>

using namespace tercet;
using test::AsyncCase;
using test::makeBarrier;
using test::waitFor;

namespace {

sim::LaunchConfig threads(uint32_t count) {
  sim::LaunchConfig config;
  config.block = {count, 1, 1};
  return config;
}

std::string failure(const std::string &body, uint32_t block = 32) {
  AsyncCase given;
  given.body = body;
  given.outBytes = 8;
  given.config = threads(block);
  auto result = test::run(given);
  INFO(result.message());
  CHECK(result.status.code() == Code::launchFailed);
  return result.message();
}

bool has(const std::string &text, const char *part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("a phase ends at its last arrival, and phases alternate", "[simulator]") {
  // Thread 0 of each of 4 warps arrives; thread 0 passes a value on in phase 0, thread 32 one in phase 1.
  AsyncCase given;
  given.body =
      makeBarrier(0, 4) +
      "and.b32 %r3, %r0, 31; setp.eq.u32 %p1, %r3, 0; setp.eq.u32 %p2, %r0, 0; setp.eq.u32 %p3, %r0, 32;\n"
      "@%p2 st.shared.u32 [%r1+64], 41;\n@%p1 mbarrier.arrive.shared::cta.b64 _, [%r1];\n" +
      waitFor(0, 0, "A") +
      "bar.warp.sync -1; ld.shared.u32 %r4, [%r1+64]; add.u32 %r5, %r4, 1;\n"
      "@%p3 st.shared.u32 [%r1+80], %r5;\n bar.warp.sync -1; @%p1 mbarrier.arrive.shared::cta.b64 _, [%r1];\n" +
      waitFor(0, 1, "B") +
      "ld.shared.u32 %r6, [%r1+80]; mul.wide.u32 %rd3, %r0, 4; add.u64 %rd3, %rd1, %rd3; st.global.u32 [%rd3], "
      "%r6;";
  given.outBytes = 512;
  for (const sim::LaunchConfig &config : test::adversarialModes(threads(128))) {
    given.config = config;
    auto result = test::run(given);
    REQUIRE(result.message() == "ok");
    for (size_t i = 0; i < 128; ++i)
      REQUIRE(result.at<uint32_t>(i) == 42);
  }
}

TEST_CASE("a state names its phase and counts what was missing", "[simulator]") {
  AsyncCase given;
  given.body = "mbarrier.init.shared.b64 [%r1], 3;\n"
               "mbarrier.arrive.noComplete.shared.b64 %rd3, [%r1], 1; mbarrier.pending_count.b64 %r3, %rd3;\n"
               "mbarrier.test_wait.shared.b64 %p0, [%r1], %rd3; selp.u32 %r4, 1, 0, %p0;\n"
               "mbarrier.arrive.shared.b64 %rd4, [%r1], 2; mbarrier.pending_count.b64 %r5, %rd4;\n"
               "mbarrier.test_wait.shared.b64 %p0, [%r1], %rd3; selp.u32 %r6, 1, 0, %p0;\n"
               "mbarrier.test_wait.parity.shared.b64 %p0, [%r1], 0; selp.u32 %r7, 1, 0, %p0;\n"
               "mbarrier.test_wait.parity.shared.b64 %p0, [%r1], 1; selp.u32 %r8, 1, 0, %p0;\n"
               "mbarrier.arrive_drop.shared.b64 %rd5, [%r1]; mbarrier.arrive.shared.b64 _, [%r1], 2;\n"
               "mbarrier.arrive.shared.b64 %rd6, [%r1]; mbarrier.pending_count.b64 %r9, %rd6;\n"
               "st.global.v4.u32 [%rd1], {%r3, %r4, %r5, %r6}; st.global.v2.u32 [%rd1+16], {%r7, %r8};\n"
               "st.global.u32 [%rd1+24], %r9; mbarrier.inval.shared.b64 [%r1]; st.shared.u64 [%r1], %rd3;";
  given.outBytes = 32;
  given.config = threads(1);
  auto result = test::run(given);
  REQUIRE(result.message() == "ok");
  const uint32_t expected[] = {3, 0, 2, 1, 1, 0, 2};
  for (size_t i = 0; i < 7; ++i) {
    INFO(i);
    CHECK(result.at<uint32_t>(i) == expected[i]);
  }
}

TEST_CASE("announced bytes hold a phase back until they come", "[simulator]") {
  AsyncCase given;
  given.body = "mbarrier.init.shared::cta.b64 [%r1], 1; mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%r1], 32;\n"
               "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r1], 16;\n"
               "mbarrier.test_wait.parity.shared.b64 %p0, [%r1], 0; selp.u32 %r3, 1, 0, %p0;\n"
               "mbarrier.complete_tx.relaxed.cta.shared::cta.b64 [%r1], 40;\n"
               "mbarrier.test_wait.parity.shared.b64 %p0, [%r1], 0; selp.u32 %r4, 1, 0, %p0;\n"
               "mbarrier.complete_tx.shared::cta.b64 [%r1], 8;\n"
               "mbarrier.test_wait.parity.shared.b64 %p0, [%r1], 0; selp.u32 %r5, 1, 0, %p0;\n"
               "st.global.v2.u32 [%rd1], {%r3, %r4}; st.global.u32 [%rd1+8], %r5;";
  given.outBytes = 16;
  given.config = threads(1);
  auto result = test::run(given);
  REQUIRE(result.message() == "ok");
  CHECK(result.at<uint32_t>(0) == 0);
  CHECK(result.at<uint32_t>(1) == 0);
  CHECK(result.at<uint32_t>(2) == 1);
}

TEST_CASE("misused mbarriers are named", "[simulator]") {
  std::string made = "mbarrier.init.shared.b64 [%r1], 2;\n";
  CHECK(has(failure("mbarrier.arrive.shared.b64 _, [%r1];", 1), "none was initialised there"));
  CHECK(has(failure(made + "mbarrier.arrive.shared.b64 _, [%r1], 3;", 1), "arrives 3 times"));
  CHECK(has(failure(made + "mbarrier.arrive.noComplete.shared.b64 %rd3, [%r1], 2;", 1), "promises not to complete"));
  CHECK(has(failure(made + made, 1), "did already"));
  CHECK(has(failure("mbarrier.init.shared.b64 [%r1+4], 2;", 1), "not a multiple of 8"));
  CHECK(has(failure("mbarrier.init.shared.b64 [%r1], 0;", 1), "takes 1 to"));
  CHECK(has(failure(made + "st.shared.u32 [%r1+4], 1;", 1), "belongs to the mbarrier"));
  CHECK(has(failure(made + "ld.shared.u32 %r3, [%r1];", 1), "belongs to the mbarrier"));
  CHECK(has(failure("mbarrier.inval.shared.b64 [%r1];", 1), "where no mbarrier is"));
  CHECK(has(failure(made + "mbarrier.expect_tx.shared.b64 [%r1], 1048576;", 1), "counts to 1048575"));
}

TEST_CASE("a deadlock names the barrier, its phase, and what is missing", "[simulator]") {
  std::string text =
      failure("setp.eq.u32 %p15, %r0, 0; @%p15 mbarrier.init.shared::cta.b64 [%r1+16], 3;\n bar.sync 0;\n"
              "@%p15 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r1+16], 256;\n" +
                  waitFor(16, 0, "A"),
              64);
  CHECK(has(text, "deadlock: warp 0"));
  CHECK(has(text,
            "for the mbarrier at shared address 0x10, in phase 0, where 2 of 3 arrivals and 256 bytes are missing"));
  CHECK(has(text, "warp 1"));
}

TEST_CASE("an mbarrier orders what came before its arrivals; nothing else does", "[simulator]") {
  // Thread 0 writes and arrives; warp 1 waits, or does not, and reads.
  for (bool waits : {true, false}) {
    AsyncCase given;
    given.body = makeBarrier(0, 1) +
                 "setp.eq.u32 %p1, %r0, 0; setp.lt.u32 %p2, %r0, 32; @!%p2 bra READER;\n"
                 "@%p1 st.shared.u32 [%r1+64], 5; @%p1 mbarrier.arrive.shared::cta.b64 _, [%r1]; bra END;\nREADER:\n" +
                 (waits ? waitFor(0, 0, "A") : std::string()) +
                 "ld.shared.u32 %r3, [%r1+64]; st.global.u32 [%rd1], %r3;\nEND:";
    given.outBytes = 4;
    given.config = threads(64);
    given.config.checks.races = true;
    auto result = test::run(given);
    INFO(result.message());
    CHECK(waits == result.status.ok());
    CHECK((waits || has(result.message(), "data race")));
  }
}

TEST_CASE("copies of threads arrive at an mbarrier when they are done", "[simulator]") {
  // Every thread of 2 warps copies 16 bytes; all wait for both warps' copies and read their neighbour's.
  for (bool noinc : {true, false}) {
    AsyncCase given;
    std::vector<uint32_t> in(256);
    for (uint32_t i = 0; i < 256; ++i)
      in[i] = 500 + i;
    given.setIn(in);
    // Without .noinc the phase takes one more for each, and a plain arrival of thread 0 is what it counts.
    given.body =
        makeBarrier(0, noinc ? 64 : 1) +
        "shl.b32 %r3, %r0, 4; add.u32 %r4, %r1, %r3; cvt.u64.u32 %rd3, %r3; add.u64 %rd4, %rd3, %rd0; add.u64 %rd3, "
        "%rd3, %rd1;\ncp.async.cg.shared.global [%r4+1024], [%rd4], 16;\n" +
        (noinc ? "cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%r1];\n"
               : "cp.async.mbarrier.arrive.shared::cta.b64 [%r1]; bar.sync 0; @%p15 mbarrier.arrive.shared::cta.b64 "
                 "_, [%r1];\n") +
        waitFor(0, 0, "A") +
        "xor.b32 %r5, %r3, 512; add.u32 %r5, %r5, %r1; ld.shared.v4.u32 {%r6, %r7, %r8, %r9}, [%r5+1024]; "
        "st.global.v4.u32 [%rd3], {%r6, %r7, %r8, %r9};";
    given.outBytes = 1024;
    for (const sim::LaunchConfig &config : test::adversarialModes(threads(64))) {
      given.config = config;
      auto result = test::run(given);
      REQUIRE(result.message() == "ok");
      for (uint32_t i = 0; i < 256; ++i)
        REQUIRE(result.at<uint32_t>(i) == 500 + (i ^ 128));
    }
  }
}
