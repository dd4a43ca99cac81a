// Races in shared memory: what must be found, and what must not be.
#include "unit/simulator/SimCase.h"

#include <catch2/catch.hpp>

using namespace tercet;

namespace {

test::Run raceRun(const std::string &body, uint64_t seed) {
  sim::LaunchConfig config;
  config.block = {64, 1, 1};
  config.checks.races = true;
  config.checks.uninitialised = false;
  config.order = sim::WarpOrder::seeded;
  config.quantum = 4;
  config.seed = seed;
  return test::run(test::kernelText("shr.u32 %r4, %r0, 5; and.b32 %r5, %r0, 31; setp.eq.u32 %p0, %r4, 0; setp.eq.u32 "
                                    "%p1, %r5, 0; shl.b32 %r6, %r0, 2;\n" +
                                        body,
                                    ".shared .align 16 .b8 buffer[512];"),
                   config);
}

// Found whatever the order in which the warps happen to run.
void races(const std::string &body) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    INFO(body << " seed " << seed);
    auto result = raceRun(body, seed);
    INFO(result.message());
    CHECK(result.message().find("data race") != std::string::npos);
  }
}

void agrees(const std::string &body) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    INFO(body << " seed " << seed);
    CHECK(raceRun(body, seed).message() == "ok");
  }
}

} // namespace

TEST_CASE("unordered accesses of two warps race when one writes", "[simulator]") {
  races("@%p0 st.shared.u32 [buffer], %r0; @!%p0 ld.shared.u32 %r7, [buffer];");
  races("st.shared.u32 [buffer], %r0;");
  races("st.shared.u32 [%r6], %r0; bar.sync 0; ld.shared.u32 %r7, [%r6]; xor.b32 %r8, %r6, 128; st.shared.u32 [%r8], "
        "%r7;");
  races("@%p0 red.shared.add.u32 [buffer], %r0; @!%p0 ld.shared.u32 %r7, [buffer];");
  // An arrival is not a wait: what warp 0 does after it is not ordered behind warp 1.
  races("@!%p0 bra other; bar.arrive 1, 64; ld.shared.u32 %r7, [%r6+128]; bra out;\nother: st.shared.u32 [%r6], %r0; "
        "bar.sync 1, 64;\nout:");
}

TEST_CASE("unordered accesses of two lanes of a warp race as well", "[simulator]") {
  races("st.shared.u32 [%r6], %r0; xor.b32 %r8, %r6, 4; ld.shared.u32 %r7, [%r8];");
  races("ld.shared.u32 %r7, [%r6]; xor.b32 %r8, %r6, 4; st.shared.u32 [%r8], %r7;");
  agrees("st.shared.u32 [%r6], %r0; bar.warp.sync -1; xor.b32 %r8, %r6, 4; ld.shared.u32 %r7, [%r8];");
}

TEST_CASE("ordered, equal and disjoint accesses do not race", "[simulator]") {
  agrees("@%p0 st.shared.u32 [%r6], %r0; bar.sync 0; @!%p0 ld.shared.u32 %r7, [%r6+-128];");
  agrees("ld.shared.u32 %r7, [buffer]; bar.sync 0; @%p0 bra out; @%p1 st.shared.u32 [buffer], %r0;\nout:");
  agrees("red.shared.add.u32 [buffer], %r0; bar.sync 0; ld.shared.u32 %r7, [buffer];");
  agrees("st.shared.u32 [%r6], %r0; ld.shared.u32 %r7, [%r6]; ld.shared.u32 %r8, [%r6+256];");
  // Halves of one word belong to two threads.
  agrees("mov.b16 %h4, 1; shl.b32 %r8, %r0, 1; st.shared.u16 [%r8], %h4;");
  agrees("@!%p0 bra other; st.shared.u32 [%r6], %r0; bar.arrive 1, 64; bra out;\nother: bar.sync 1, 64; ld.shared.u32 "
         "%r7, [%r6+-128];\nout:");
}

TEST_CASE("a copy must not land where others still read", "[simulator]") {
  std::string copy = "ld.param.u64 %rd5, [in]; @%p0 cp.async.ca.shared.global [buffer], [%rd5], 8; cp.async.wait_all;";
  races("@!%p0 ld.shared.u32 %r7, [buffer]; setp.eq.u32 %p0, %r0, 0;" + copy);
  agrees("@!%p0 ld.shared.u32 %r7, [buffer]; setp.eq.u32 %p0, %r0, 0; bar.sync 0;" + copy);
  // Waited for by its thread only: the other warp needs a barrier behind the wait.
  races("setp.eq.u32 %p0, %r0, 0;" + copy + "setp.eq.u32 %p2, %r4, 1; @%p2 ld.shared.u32 %r7, [buffer];");
  agrees("setp.eq.u32 %p0, %r0, 0;" + copy + "bar.sync 0; ld.shared.u32 %r7, [buffer];");
}

TEST_CASE("shared memory that nobody has written is not read", "[simulator]") {
  auto result = test::run(
      test::kernelText("st.shared.u16 [buffer], 1; ld.shared.u32 %r7, [buffer];", ".shared .align 4 .b8 buffer[8];"));
  CHECK(result.message().find("reads shared address 0x2, which nobody has written") != std::string::npos);
  // A load may be wider than what is needed of it, if it says so.
  const char *partly = "st.shared.u64 [buffer], 1; st.shared.u32 [buffer+8], 1; .pragma \"used_bytes_mask {}\"; "
                       "ld.shared.v4.u32 {{%r7, %r8, %r9, %r10}}, [buffer];";
  for (auto [mask, reads] : {std::pair{"0x7fff", true}, {"4095", false}, {"0xfff", false}, {"15", false}}) {
    result = test::run(test::kernelText(fmt::format(fmt::runtime(partly), mask), ".shared .align 16 .b8 buffer[16];"));
    CHECK((result.message().find("reads shared address 0xc, which nobody has written") != std::string::npos) == reads);
  }
  for (const char *wrong : {"0", "12x", "4294967296"})
    CHECK(!test::run(test::kernelText(fmt::format(fmt::runtime(partly), wrong), ".shared .align 16 .b8 buffer[16];"))
               .status.ok());
  CHECK(!test::run(test::kernelText(".pragma \"used_bytes_mask 15\"; mov.u32 %r7, %r0;")).status.ok());
  result = test::run(test::kernelText("red.shared.add.u32 [buffer], 1;", ".shared .align 4 .b8 buffer[8];"));
  CHECK(result.message().find("which nobody has written") != std::string::npos);
}
