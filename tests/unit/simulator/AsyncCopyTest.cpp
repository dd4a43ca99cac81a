// cp.async: sizes, zero fill, groups, and data that is read before it was waited for, in every mode of landing.
#include "unit/simulator/SimCase.h"

#include <catch2/catch.hpp>

using namespace tercet;

namespace {

const std::string setUp = "mov.u32 %r4, buffer; mad.lo.u32 %r4, %r0, 32, %r4; mov.u64 %rd5, 0; st.shared.u64 [%r4], "
                          "%rd5; st.shared.u64 [%r4+8], "
                          "%rd5; st.shared.u64 [%r4+16], %rd5;\n";
constexpr const char *finish = "ld.shared.u64 %rd4, [%r4]; st.global.u64 [%rd1], %rd4;";

test::Run copyRun(const std::string &body, sim::Landing landing, uint64_t seed = 0) {
  sim::LaunchConfig config;
  config.block = {2, 1, 1};
  config.landing = landing;
  config.seed = seed;
  return test::run(test::kernelText(setUp + body, ".shared .align 16 .b8 buffer[64];"), config,
                   {0x1111111122222222, 0x3333333344444444});
}

constexpr sim::Landing modes[] = {sim::Landing::atIssue, sim::Landing::seeded, sim::Landing::latest};

void leaves(const std::string &body, uint64_t first, uint64_t second) {
  for (sim::Landing mode : modes)
    for (uint64_t seed = 0; seed < 4; ++seed) {
      INFO(body << " mode " << int(mode));
      auto result = copyRun(body + finish, mode, seed);
      REQUIRE(result.message() == "ok");
      CHECK(result.out == std::vector<uint64_t>{first, second});
    }
}

void violates(const std::string &body, const char *why) {
  for (sim::Landing mode : modes) {
    INFO(body << " mode " << int(mode));
    auto result = copyRun(body + finish, mode);
    CHECK(result.status.code() == Code::launchFailed);
    INFO(result.message());
    CHECK(result.message().find(why) != std::string::npos);
  }
}

} // namespace

TEST_CASE("copies of 4, 8 and 16 bytes arrive, with zeros behind what was read", "[simulator]") {
  leaves("cp.async.ca.shared.global [%r4], [%rd0], 8; cp.async.wait_all;", 0x1111111122222222, 0x3333333344444444);
  leaves("cp.async.ca.shared.global [%r4+4], [%rd0+4], 4; cp.async.commit_group; cp.async.wait_group 0;",
         0x1111111100000000, 0x3333333300000000);
  leaves("mov.u32 %r5, 4; cp.async.ca.shared::cta.global.L2::128B [%r4], [%rd0], 8, %r5; cp.async.wait_all;",
         0x22222222, 0x44444444);
  leaves("mov.u64 %rd6, 77; st.shared.u64 [%r4], %rd6; setp.eq.u32 %p0, %r0, 0; cp.async.ca.shared.global [%r4], "
         "[%rd0], 8, %p0; cp.async.wait_all;",
         0, 0x3333333344444444);
  // Nothing is read, so the address may be anything.
  leaves("mov.u64 %rd6, 0; mov.u32 %r5, 0; cp.async.cg.shared.global [%r4], [%rd6], 16, %r5; cp.async.wait_all;", 0, 0);
  leaves("createpolicy.fractional.L2::evict_first.b64 %rd7, 1.0; cp.async.ca.shared.global.L2::cache_hint [%r4], "
         "[%rd0], 8, %rd7; cp.async.wait_all;",
         0x1111111122222222, 0x3333333344444444);
}

TEST_CASE("only bytes that are read count", "[simulator]") {
  auto report = copyRun("setp.eq.u32 %p0, %r0, 0; cp.async.ca.shared.global [%r4], [%rd0], 8, %p0; cp.async.wait_all;",
                        sim::Landing::atIssue)
                    .report;
  CHECK(report.asyncBytes == 8);
  CHECK(report.globalLoadBytes == 8);
  CHECK(report.globalLoadSectors == 1);
  report = copyRun("mov.u32 %r5, 0; cp.async.ca.shared.global [%r4], [%rd0], 8, %r5; cp.async.wait_all;",
                   sim::Landing::atIssue)
               .report;
  CHECK(report.globalLoadSectors == 0);
}

TEST_CASE("groups are waited for in order, and counted per thread", "[simulator]") {
  leaves("cp.async.ca.shared.global [%r4], [%rd0], 8; cp.async.commit_group; cp.async.ca.shared.global [%r4+8], "
         "[%rd0], 8; cp.async.commit_group;\n"
         "cp.async.wait_group 1;",
         0x1111111122222222, 0x3333333344444444);
  // Thread 1 commits nothing in the second group, so its wait for all but one lets its only group fly.
  violates("cp.async.ca.shared.global [%r4], [%rd0], 8; cp.async.commit_group; setp.eq.u32 %p0, %r0, 0; @%p0 "
           "cp.async.commit_group; cp.async.wait_group 1;",
           "has not been waited for");
}

TEST_CASE("what is in flight must not be touched", "[simulator]") {
  violates("cp.async.ca.shared.global [%r4], [%rd0], 8; cp.async.commit_group;", "has not been waited for");
  violates("cp.async.ca.shared.global [%r4], [%rd0], 8; cp.async.wait_group 0;",
           "has not been waited for"); // never committed
  violates("cp.async.ca.shared.global [%r4], [%rd0], 8; cp.async.commit_group; cp.async.ca.shared.global [%r4+8], "
           "[%rd0], 8; cp.async.commit_group;\n"
           "cp.async.wait_group 2;",
           "has not been waited for");
  violates("cp.async.ca.shared.global [%r4], [%rd0], 8; st.shared.u32 [%r4], %r0; cp.async.wait_all;",
           "writes shared address");
  violates(
      "cp.async.ca.shared.global [%r4], [%rd0], 8; cp.async.ca.shared.global [%r4+4], [%rd0], 4; cp.async.wait_all;",
      "an earlier copy");
}

TEST_CASE("copies are checked for bounds, alignment and size", "[simulator]") {
  violates("cp.async.ca.shared.global [%r4], [%rd0+8], 8;", "past the end of allocation 'in'");
  violates("cp.async.ca.shared.global [%r4+60], [%rd0], 8;", "not both multiples of 8");
  violates("cp.async.ca.shared.global [%r4+64], [%rd0], 8;", "lie outside of the CTA's 64 bytes");
  violates("mov.u32 %r5, 9; cp.async.ca.shared.global [%r4], [%rd0], 8, %r5;", "reads 9 bytes of a copy of 8");
  violates("cp.async.ca.shared.global [%r4], [%rd0+4], 8;", "not both multiples");
}
