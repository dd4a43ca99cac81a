// Bulk copies without tensor maps: into shared memory with an mbarrier, out of it in groups, reductions; and their checks.
#include "unit/simulator/AsyncCase.h"

#include <catch2/catch.hpp>

using namespace tercet;
using test::AsyncCase;
using test::makeBarrier;
using test::waitFor;

namespace {

sim::LaunchConfig oneWarp() { return {}; }

std::vector<uint32_t> counting(uint32_t count) {
  std::vector<uint32_t> values(count);
  for (uint32_t i = 0; i < count; ++i)
    values[i] = 1000 + i;
  return values;
}

// Thread 0 loads 128 bytes to 256 and waits; every thread then reads its word.
const std::string load = makeBarrier(0, 1) +
                         "@%p15 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r1], 128;\n"
                         "@%p15 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r1+256], [%rd0], "
                         "128, [%r1];\n" +
                         waitFor(0, 0, "L");

std::string failure(const std::string &body, sim::LaunchConfig config = oneWarp()) {
  AsyncCase given;
  given.body = body;
  given.setIn(counting(64));
  given.outBytes = 256;
  given.config = config;
  auto result = test::run(given);
  INFO(result.message());
  CHECK(result.status.code() == Code::launchFailed);
  return result.message();
}
bool has(const std::string &text, const char *part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}
sim::LaunchConfig late() {
  sim::LaunchConfig config;
  config.landing = sim::Landing::latest;
  return config;
}

} // namespace

TEST_CASE("a bulk load lands before its mbarrier's phase ends", "[simulator]") {
  AsyncCase given;
  given.setIn(counting(32));
  given.outBytes = 128;
  given.body = load +
               "mul.wide.u32 %rd3, %r0, 4; add.u64 %rd3, %rd1, %rd3; shl.b32 %r3, %r0, 2; add.u32 %r3, %r3, %r1;\n"
               "ld.shared.u32 %r4, [%r3+256]; st.global.u32 [%rd3], %r4;";
  for (const sim::LaunchConfig &config : test::adversarialModes(oneWarp())) {
    given.config = config;
    auto result = test::run(given);
    REQUIRE(result.message() == "ok");
    for (uint32_t i = 0; i < 32; ++i)
      CHECK(result.at<uint32_t>(i) == 1000 + i);
    CHECK(result.report.asyncBytes == 128);
    CHECK(result.report.globalLoadSectors == 4);
  }
}

TEST_CASE("a bulk store leaves in groups and is there when they are waited for", "[simulator]") {
  AsyncCase given;
  given.setIn(counting(32));
  given.outBytes = 512;
  given.body = "shl.b32 %r3, %r0, 4; add.u32 %r4, %r1, %r3; st.shared.v4.u32 [%r4], {%r0, %r0, %r0, %r0};\n"
               "fence.proxy.async.shared::cta; bar.sync 0; setp.eq.u32 %p0, %r0, 0;\n"
               "@%p0 cp.async.bulk.global.shared::cta.bulk_group [%rd1], [%r1], 256;\n"
               "@%p0 cp.async.bulk.commit_group; add.u64 %rd3, %rd1, 256; add.u32 %r5, %r1, 256;\n"
               "@%p0 cp.async.bulk.global.shared::cta.bulk_group [%rd3], [%r5], 256; @%p0 cp.async.bulk.commit_group;\n"
               "@%p0 cp.async.bulk.wait_group 1; @%p0 ld.global.u32 %r6, [%rd1+16];\n"
               "@%p0 cp.async.bulk.wait_group.read 0; bar.sync 0; st.shared.u32 [%r4], %r6;";
  for (const sim::LaunchConfig &config : test::adversarialModes(oneWarp())) {
    given.config = config;
    auto result = test::run(given);
    REQUIRE(result.message() == "ok");
    for (uint32_t i = 0; i < 128; ++i)
      CHECK(result.at<uint32_t>(i) == i / 4);
  }
}

TEST_CASE("bulk reductions combine with their target", "[simulator]") {
  struct Row {
    const char *operation;
    uint32_t target, source, expected;
  };
  const Row rows[] = {{"add.f32", 0x3f800000, 0x40000000, 0x40400000},
                      {"add.noftz.bf16", 0x3f803f80, 0x40004000, 0x40404040},
                      {"add.noftz.f16", 0x3c003c00, 0x40003c00, 0x42004000},
                      {"add.u32", 0xffffffff, 2, 1},
                      {"min.s32", 5, 0xfffffff0, 0xfffffff0},
                      {"max.s32", 5, 0xfffffff0, 5},
                      {"min.u32", 5, 0xfffffff0, 5},
                      {"max.u32", 5, 0xfffffff0, 0xfffffff0},
                      {"max.bf16", 0x3f804000, 0x40003f80, 0x40004000},
                      {"min.f16", 0x3c00c000, 0x40003c00, 0x3c00c000},
                      {"and.b32", 0xff00, 0x0ff0, 0x0f00},
                      {"or.b32", 0xff00, 0x0ff0, 0xfff0},
                      {"xor.b32", 0xff00, 0x0ff0, 0xf0f0},
                      {"inc.u32", 3, 3, 0},
                      {"dec.u32", 0, 9, 9}};
  for (const Row &row : rows)
    for (sim::Landing landing : {sim::Landing::atIssue, sim::Landing::latest}) {
      INFO(row.operation);
      AsyncCase given;
      given.config.landing = landing;
      given.outBytes = 16;
      given.body = fmt::format(
          "setp.eq.u32 %p0, %r0, 0; @!%p0 exit; mov.u32 %r3, {}; mov.u32 %r4, {}; st.global.v4.u32 [%rd1], {{%r3, "
          "%r3, %r3, %r3}}; st.shared.v4.u32 [%r1], {{%r4, %r4, %r4, %r4}}; fence.proxy.async;\n"
          "cp.reduce.async.bulk.global.shared::cta.bulk_group.{} [%rd1], [%r1], 16;\n"
          "cp.async.bulk.commit_group; cp.async.bulk.wait_group 0;",
          row.target, row.source, row.operation);
      auto result = test::run(given);
      REQUIRE(result.message() == "ok");
      for (size_t i = 0; i < 4; ++i)
        CHECK(result.at<uint32_t>(i) == row.expected);
    }
}

TEST_CASE("bytes in flight may be neither read nor written", "[simulator]") {
  std::string begin = makeBarrier(0, 1) +
                      "@%p15 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r1], 128;\n"
                      "@%p15 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r1+256], [%rd0], "
                      "128, [%r1];\n";
  CHECK(has(failure(begin + "ld.shared.u32 %r3, [%r1+256];", late()), "has not been waited for"));
  CHECK(has(failure(begin + "st.shared.u32 [%r1+380], %r3;", late()), "has not been waited for"));
  CHECK(has(failure(begin, late()), "nobody waited for it"));
  // At once or not, a copy that nobody waited for is a race.
  sim::LaunchConfig racing;
  racing.checks.races = true;
  CHECK(has(failure(begin + "ld.shared.u32 %r3, [%r1+256];", racing), "data race"));
  // A store that is still being read.
  std::string store = "st.shared.v4.u32 [%r1], {%r0, %r0, %r0, %r0}; fence.proxy.async;\n"
                      "cp.async.bulk.global.shared::cta.bulk_group [%rd1], [%r1], 16; cp.async.bulk.commit_group;\n";
  sim::LaunchConfig one;
  one.block = {1, 1, 1};
  CHECK(has(failure(store + "st.shared.u32 [%r1], %r0; cp.async.bulk.wait_group 0;", one), "still reads"));
  CHECK(has(failure(store, one), "exits while the bulk copy"));
}

TEST_CASE("the asynchronous proxy sees ordinary writes after a fence only", "[simulator]") {
  sim::LaunchConfig config;
  config.block = {64, 1, 1};
  for (bool races : {false, true}) {
    config.checks.races = races;
    std::string write = "shl.b32 %r3, %r0, 4; add.u32 %r4, %r1, %r3; st.shared.v4.u32 [%r4], {%r0, %r0, %r0, %r0};\n",
                store =
                    "setp.eq.u32 %p0, %r0, 0; @%p0 cp.async.bulk.global.shared::cta.bulk_group [%rd1], [%r1+512], 256; "
                    "@%p0 cp.async.bulk.commit_group; @%p0 cp.async.bulk.wait_group 0;";
    CHECK(has(failure(write + "bar.sync 0;\n" + store, config), "no fence.proxy.async since"));
    if (races) // a fence of another warp, with nothing between it and the write
      CHECK(has(failure(write + "setp.lt.u32 %p1, %r0, 32; @%p1 fence.proxy.async; bar.sync 0;\n" + store, config),
                "no fence.proxy.async since"));
    for (const char *order : {"fence.proxy.async; bar.sync 0;\n", "bar.sync 0; fence.proxy.async;\n"}) {
      AsyncCase given;
      given.body = write + order + store;
      given.outBytes = 256;
      given.config = config;
      CHECK(test::run(given).message() == "ok");
    }
  }
}

TEST_CASE("misused bulk copies are named", "[simulator]") {
  std::string begin = makeBarrier(0, 1), copy = "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes ";
  sim::LaunchConfig one;
  one.block = {1, 1, 1};
  CHECK(has(failure(begin + copy + "[%r1+8], [%rd0], 16, [%r1];", one), "multiples of 16"));
  CHECK(has(failure(begin + copy + "[%r1+16], [%rd0], 24, [%r1];", one), "multiples of 16"));
  CHECK(has(failure(begin + copy + "[%r1+16], [%rd0], 512, [%r1];", one), "lie outside of every allocation"));
  CHECK(has(failure(begin + copy + "[%r1+65536], [%rd0], 16, [%r1];", one), "lie outside"));
  CHECK(has(failure(begin + copy + "[%r1], [%rd0], 16, [%r1];", one), "belongs to the mbarrier"));
  CHECK(has(failure(begin + copy + "[%r1+16], [%rd0], 16, [%r1+8];", one), "none was initialised there"));
  CHECK(has(failure("mbarrier.init.shared.b64 [%r1], 1;" + copy + "[%r1+16], [%rd0], 16, [%r1];", one),
            "has not published"));
}
