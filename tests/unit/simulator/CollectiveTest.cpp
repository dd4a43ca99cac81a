// Shuffles, votes, matches and reductions; divergence, and collectives that do not find their lanes.
#include "unit/simulator/SimCase.h"

#include <catch2/catch.hpp>

#include <functional>

using namespace tercet;
using test::run;
using test::runBody;

namespace {

// What `body` leaves in %r4 of each lane, against a function of the lane.
void leaves(const std::string &body, const std::function<uint64_t(uint32_t)> &expected) {
  auto result = runBody("mul.lo.u32 %r5, %r0, 3; setp.ge.u32 %p0, %r0, 20;\n" + body +
                        "\ncvt.u64.u32 %rd4, %r4; st.global.u64 [%rd1], %rd4;");
  INFO(body);
  REQUIRE(result.message() == "ok");
  for (uint32_t lane = 0; lane < 32; ++lane) {
    INFO("lane " << lane);
    CHECK(result.out[lane] == expected(lane));
  }
}

void violates(const std::string &body, const char *why) {
  INFO(body);
  auto result = runBody(body);
  CHECK(result.status.code() == Code::launchFailed);
  INFO(result.message());
  CHECK(result.message().find(why) != std::string::npos);
}

} // namespace

TEST_CASE("shuffles move values within segments", "[simulator]") {
  leaves("shfl.sync.bfly.b32 %r4, %r5, 1, 31, -1;", [](uint32_t l) { return 3 * (l ^ 1); });
  leaves("shfl.sync.idx.b32 %r4, %r5, 7, 31, -1;", [](uint32_t) { return 21; });
  leaves("shfl.sync.up.b32 %r4, %r5, 2, 0, -1;", [](uint32_t l) { return 3 * (l < 2 ? l : l - 2); });
  leaves("shfl.sync.down.b32 %r4, %r5, 2, 31, -1;", [](uint32_t l) { return 3 * (l > 29 ? l : l + 2); });
  // Segments of 8 lanes: 0x18 in bits 8 to 12.
  leaves("shfl.sync.down.b32 %r4, %r5, 1, 0x181f, -1;", [](uint32_t l) { return 3 * (l % 8 == 7 ? l : l + 1); });
  leaves("shfl.sync.idx.b32 %r4, %r5, 2, 0x181f, -1;", [](uint32_t l) { return 3 * (l / 8 * 8 + 2); });
  leaves("shfl.sync.up.b32 %r6|%p1, %r5, 1, 0x1800, -1; selp.u32 %r4, 1, 0, %p1;",
         [](uint32_t l) { return l % 8 != 0; });
}

TEST_CASE("votes, matches and reductions", "[simulator]") {
  leaves("vote.sync.ballot.b32 %r4, %p0, -1;", [](uint32_t) { return 0xfff00000; });
  leaves("vote.sync.any.pred %p1, %p0, -1; selp.u32 %r4, 1, 0, %p1;", [](uint32_t) { return 1; });
  leaves("vote.sync.all.pred %p1, %p0, -1; selp.u32 %r4, 1, 0, %p1;", [](uint32_t) { return 0; });
  leaves("vote.sync.uni.pred %p1, !%p0, -1; selp.u32 %r4, 1, 0, %p1;", [](uint32_t) { return 0; });
  leaves("and.b32 %r6, %r0, 3; match.any.sync.b32 %r4, %r6, -1;", [](uint32_t l) { return 0x11111111u << (l % 4); });
  leaves("mov.u64 %rd5, 9; match.all.sync.b64 %r4|%p1, %rd5, -1;", [](uint32_t) { return 0xffffffff; });
  leaves("match.all.sync.b32 %r4|%p1, %r0, -1;", [](uint32_t) { return 0; });
  leaves("redux.sync.add.u32 %r4, %r0, -1;", [](uint32_t) { return 496; });
  leaves("sub.u32 %r6, %r0, 5; redux.sync.min.s32 %r4, %r6, -1;", [](uint32_t) { return 0xfffffffb; });
  leaves("sub.u32 %r6, %r0, 5; redux.sync.max.u32 %r4, %r6, -1;", [](uint32_t) { return 0xffffffff; });
  leaves("redux.sync.or.b32 %r4, %r0, -1;", [](uint32_t) { return 31; });
  leaves("elect.sync %r6|%p1, -1; selp.u32 %r4, 1, 0, %p1; add.u32 %r4, %r4, %r6;", [](uint32_t l) { return l == 0; });
}

TEST_CASE("lanes that diverge meet again, whatever the layout of the blocks", "[simulator]") {
  leaves("@%p0 bra high; mov.u32 %r4, 1; bra join;\nhigh: mov.u32 %r4, 2;\njoin: redux.sync.add.u32 %r4, %r4, -1;",
         [](uint32_t) { return 20 + 24; });
  // The block of the lanes that jump lies behind the collective.
  leaves("mov.u32 %r4, 1; @%p0 bra far;\nback: redux.sync.add.u32 %r4, %r4, -1; bra end;\nfar: mov.u32 %r4, 2; bra "
         "back;\nend:",
         [](uint32_t) { return 20 + 24; });
  // Every lane leaves the loop at another trip.
  leaves("mov.u32 %r4, 0;\nagain: add.u32 %r4, %r4, 1; setp.lt.u32 %p1, %r4, %r0; @%p1 bra again;\nredux.sync.add.u32 "
         "%r4, %r4, -1;",
         [](uint32_t) { return 497; });
  // A part of the warp is enough where only it is named.
  leaves("mov.u32 %r4, 0; @!%p0 bra out; redux.sync.add.u32 %r4, %r0, 0xfff00000;\nout:",
         [](uint32_t l) { return l < 20 ? 0 : 306; });
}

TEST_CASE("collectives that do not find their lanes are violations", "[simulator]") {
  violates("setp.ge.u32 %p0, %r0, 20; @%p0 bra out; shfl.sync.bfly.b32 %r4, %r0, 1, 31, -1;\nout:", "have exited");
  violates("setp.ge.u32 %p0, %r0, 20; @%p0 exit; redux.sync.add.u32 %r4, %r0, -1;", "have exited");
  violates("setp.ge.u32 %p0, %r0, 20; @%p0 bra other; redux.sync.add.u32 %r4, %r0, -1; bra out;\nother: "
           "redux.sync.max.u32 %r4, %r0, "
           "-1;\nout:",
           "wait for each other at different instructions");
  violates("setp.ge.u32 %p0, %r0, 20; @%p0 redux.sync.add.u32 %r4, %r0, 0xff;", "without itself (lane 20)");
  violates("setp.ge.u32 %p0, %r0, 20; selp.u32 %r5, -1, 0xfffff, %p0; redux.sync.add.u32 %r4, %r0, %r5;",
           "another lane here names");
  violates("shfl.sync.down.b32 %r4, %r0, 40, 31, -1; setp.ge.u32 %p0, %r0, 16; @!%p0 bra out; shfl.sync.idx.b32 %r4, "
           "%r0, 20, 31, "
           "0xffff;\nout:",
           "names the lanes");
  violates("setp.ge.u32 %p0, %r0, 20; @%p0 bra.uni out; mov.u32 %r4, 1;\nout:", "promised to be uniform");
}
