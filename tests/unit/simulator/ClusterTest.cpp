// Clusters: barriers over CTAs, each other's shared memory and mbarriers.
#include "unit/simulator/AsyncCase.h"

#include <catch2/catch.hpp>

using namespace tercet;
using test::AsyncCase;
using test::makeBarrier;
using test::waitFor;

namespace {

sim::LaunchConfig clusters(uint32_t size, uint32_t block = 64) {
  sim::LaunchConfig config;
  config.block = {block, 1, 1};
  config.cluster = {size, 1, 1};
  config.grid = {2 * size, 1, 1};
  return config;
}
const std::string clusterSync = "barrier.cluster.arrive.release.aligned; barrier.cluster.wait.acquire.aligned;\n";

std::string failure(const std::string &body, sim::LaunchConfig config) {
  AsyncCase given;
  given.body = body;
  given.outBytes = 8;
  given.config = config;
  auto result = test::run(given);
  CHECK(result.status.code() == Code::launchFailed);
  return result.message();
}

} // namespace

TEST_CASE("CTAs of a cluster read and write each other's shared memory", "[simulator]") {
  // Thread t of CTA r stores 1000 r + t with its neighbour; then each reads what it was given, and what its neighbour has.
  AsyncCase given;
  given.body =
      "mov.u32 %r3, %cluster_nctarank; add.u32 %r4, %r2, 1; setp.eq.u32 %p0, %r4, %r3; selp.u32 %r4, 0, %r4, %p0;\n"
      "shl.b32 %r5, %r0, 2; add.u32 %r6, %r1, %r5; mapa.shared::cluster.u32 %r7, %r6, %r4;\n"
      "mad.lo.u32 %r8, %r2, 1000, %r0; st.shared::cluster.u32 [%r7], %r8;\n" +
      clusterSync +
      "ld.shared.u32 %r9, [%r6]; ld.shared::cluster.u32 %r10, [%r7]; getctarank.shared::cluster.u32 %r11, %r7;\n"
      "mov.u32 %r12, %ctaid.x; mad.lo.u32 %r13, %r12, 64, %r0; mul.wide.u32 %rd3, %r13, 16; add.u64 %rd3, %rd1, %rd3;\n"
      "st.global.v4.u32 [%rd3], {%r9, %r10, %r11, %r4};\n" +
      clusterSync;
  for (uint32_t size : {2u, 4u})
    for (sim::LaunchConfig config : test::adversarialModes(clusters(size))) {
      given.config = config;
      given.outBytes = size_t{2} * size * 64 * 16;
      auto result = test::run(given);
      REQUIRE(result.message() == "ok");
      for (size_t cta = 0; cta < 2 * size; ++cta)
        for (size_t t = 0; t < 64; ++t) {
          uint32_t rank = uint32_t(cta % size), next = (rank + 1) % size, before = (rank + size - 1) % size;
          size_t at = 4 * (cta * 64 + t);
          REQUIRE(result.at<uint32_t>(at) == before * 1000 + t);
          REQUIRE(result.at<uint32_t>(at + 1) == rank * 1000 + t);
          REQUIRE(result.at<uint32_t>(at + 2) == next);
        }
    }
}

TEST_CASE("an arrival may be sent to another CTA's mbarrier", "[simulator]") {
  // Every thread of both CTAs arrives at CTA 0's barrier, whose threads wait.
  AsyncCase given;
  given.body = makeBarrier(0, 128) + clusterSync +
               "mapa.shared::cluster.u32 %r3, %r1, 0; mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%r3];\n"
               "setp.ne.u32 %p1, %r2, 0; @%p1 bra DONE;\n" +
               waitFor(0, 0, "A") + "@%p15 st.global.u32 [%rd1], 7;\nDONE:\n" + clusterSync;
  given.outBytes = 4;
  for (sim::LaunchConfig config : test::adversarialModes(clusters(2))) {
    given.config = config;
    auto result = test::run(given);
    REQUIRE(result.message() == "ok");
    CHECK(result.at<uint32_t>(0) == 7);
  }
}

TEST_CASE("bulk copies reach other CTAs, one or many", "[simulator]") {
  // CTA 0 multicasts 64 bytes to all; then CTA 1 sends 16 of its own to CTA 0.
  std::vector<uint32_t> in(16);
  for (uint32_t i = 0; i < 16; ++i)
    in[i] = 100 + i;
  AsyncCase given;
  given.setIn(in);
  given.body = makeBarrier(0, 1) + makeBarrier(8, 1) + clusterSync +
               "@%p15 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r1], 64;\n"
               "setp.eq.u32 %p1, %r2, 0; and.pred %p2, %p1, %p15; mov.b16 %h0, 3;\n"
               "@%p2 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%r1+128], "
               "[%rd0], 64, "
               "[%r1], %h0;\n" +
               waitFor(0, 0, "A") +
               "@%p2 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r1+8], 16; mov.u32 %r5, 0; add.u32 %r6, %r1, 256;\n"
               "mapa.shared::cluster.u32 %r7, %r6, %r5; add.u32 %r8, %r1, 8; mapa.shared::cluster.u32 %r9, %r8, %r5;\n"
               "setp.eq.u32 %p3, %r2, 1; and.pred %p4, %p3, %p15; add.u32 %r10, %r1, 176;\n"
               "@%p4 cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [%r7], [%r10], 16, [%r9];\n"
               "@!%p1 bra DONE;\n" +
               waitFor(8, 0, "B") +
               "@%p15 ld.shared.v4.u32 {%r11, %r12, %r13, %r14}, [%r6]; @%p15 st.global.v4.u32 [%rd1], "
               "{%r11, %r12, %r13, %r14};\nDONE:\n" +
               clusterSync;
  given.outBytes = 16;
  sim::LaunchConfig base = clusters(2);
  base.grid = {2, 1, 1};
  for (sim::LaunchConfig config : test::adversarialModes(base)) {
    given.config = config;
    auto result = test::run(given);
    REQUIRE(result.message() == "ok");
    for (uint32_t i = 0; i < 4; ++i)
      CHECK(result.at<uint32_t>(i) == 112 + i);
    CHECK(result.report.asyncBytes == 144);
    CHECK(result.report.globalLoadBytes == 64);
  }
}

TEST_CASE("misused clusters are named", "[simulator]") {
  auto text = failure("barrier.cluster.wait.aligned;", clusters(2));
  CHECK(text.find("without having arrived") != std::string::npos);
  text = failure("barrier.cluster.arrive.aligned; barrier.cluster.arrive.aligned;", clusters(2));
  CHECK(text.find("twice without waiting") != std::string::npos);
  text = failure("mapa.shared::cluster.u32 %r3, %r1, 2; ld.shared::cluster.u32 %r4, [%r3];", clusters(2));
  CHECK(text.find("CTA 2 of a cluster that has 2") != std::string::npos);
  // CTA 0 waits for everybody, CTA 1 for nobody: it hangs at an mbarrier.
  text = failure(makeBarrier(0, 1) + "setp.eq.u32 %p1, %r2, 1; @%p1 bra OTHER;\n" + clusterSync +
                     "bra DONE;\nOTHER:\n" + waitFor(0, 0, "A") + "DONE:",
                 clusters(2));
  CHECK(text.find("CTA 0 of the cluster, warp 0") != std::string::npos);
  CHECK(text.find("for phase 0 of the cluster's barrier, where 64 of 128 threads are") != std::string::npos);
  CHECK(text.find("CTA 1 of the cluster, warp 0") != std::string::npos);
  // A neighbour that has ended has no shared memory any more.
  text = failure(
      "setp.eq.u32 %p1, %r2, 1; @%p1 exit;\n LOOP: add.u32 %r5, %r5, 1; mov.u32 %r4, 1; mapa.shared::cluster.u32 "
      "%r3, %r1, %r4; mbarrier.arrive.shared::cluster.b64 _, [%r3];",
      clusters(2, 32));
  CHECK((text.find("has ended") != std::string::npos || text.find("none was initialised") != std::string::npos));
}
