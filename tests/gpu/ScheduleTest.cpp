// Schedules: every legal program has one, the best comes first, and all fit.
#include "gpu/DenseCase.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::compiler;

static std::vector<RankedSchedule> schedulesOf(test::DenseCase &dense, int64_t headDim, const std::string &target,
                                               std::vector<std::string> &remarks) {
  GpuProgram program;
  program.headDim = program.valueDim = headDim;
  AttendStage stage;
  stage.exact = true;
  return attendSchedules(dense.context(), program, stage, *parseCudaTarget(target), remarks);
}

TEST_CASE("every head dimension has a schedule on every architecture, and all fit into shared memory", "[cuda]") {
  test::DenseCase dense;
  std::vector<std::string> remarks;
  for (const char *name : {"sm_80", "sm_86", "sm_89", "sm_90", "sm_90a", "sm_100", "sm_120"})
    for (int64_t headDim = 8; headDim <= 256; headDim += 8) {
      INFO(name << ", head dimension " << headDim);
      std::vector<RankedSchedule> schedules = schedulesOf(dense, headDim, name, remarks);
      REQUIRE_FALSE(schedules.empty());
      for (const RankedSchedule &ranked : schedules)
        CHECK(ranked.sharedBytes <= parseCudaTarget(name)->sharedBytes);
    }
}

TEST_CASE("every block size has a schedule on every architecture, whatever the dtype and the dimensions", "[cuda]") {
  test::DenseCase dense;
  std::vector<std::string> remarks;
  for (const char *name : {"sm_80", "sm_86", "sm_90a", "sm_100", "sm_120"})
    for (DType dtype : {DType::bf16, DType::f32})
      for (auto [headDim, valueDim] : {std::pair{8, 8}, {8, 256}, {256, 8}, {256, 256}})
        for (int64_t blockQ = 16; blockQ <= 256; blockQ += 16)
          for (int64_t blockK : {16, 64, 112, 208, 256}) {
            GpuProgram program;
            program.headDim = headDim;
            program.valueDim = valueDim;
            program.dtype = dtype;
            program.blockQ = blockQ;
            program.blockK = blockK;
            AttendStage stage;
            stage.exact = stage.listed = true;
            INFO(name << ", " << dtypeName(dtype) << ", dimensions " << headDim << " and " << valueDim << ", blocks "
                      << blockQ << " x " << blockK);
            std::vector<RankedSchedule> schedules =
                attendSchedules(dense.context(), program, stage, *parseCudaTarget(name), remarks);
            REQUIRE_FALSE(schedules.empty());
            for (const RankedSchedule &ranked : schedules)
              CHECK(ranked.sharedBytes <= parseCudaTarget(name)->sharedBytes);
          }
}

TEST_CASE("masked f32 rows of the largest dimensions have a schedule in 99 KiB, of fewer warps", "[cuda]") {
  test::DenseCase masked(R"(
    tercet.spec @masked(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
      %past = tercet.mask {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %allowed = arith.cmpi sle, %j, %i : index
        tercet.yield %allowed : i1
      }
      %o = tercet.sparse %q, %k, %v mask(%past)
      tercet.return %o
    })");
  CHECK_THAT(masked.text("sm_80", 256, "cuda", DType::f32), Catch::Matchers::Contains("4 x warp"));
  CHECK_THAT(masked.text("sm_86", 256, "cuda", DType::f32), Catch::Matchers::Contains("3 x warp"));
}

TEST_CASE("sm_90a takes warpgroups where head dimensions are multiples of 64, and says so where not", "[cuda]") {
  test::DenseCase dense;
  std::vector<std::string> remarks;
  for (int64_t headDim : {64, 128, 192, 256})
    CHECK(schedulesOf(dense, headDim, "sm_90a", remarks)[0].schedule.getWorker() == tkern::WorkerKind::Warpgroup);
  CHECK(remarks.empty());
  CHECK(schedulesOf(dense, 80, "sm_90a", remarks)[0].schedule.getWorker() == tkern::WorkerKind::Warp);
  REQUIRE(remarks.size() == 1);
  CHECK(remarks[0].find("80 and 80 are not multiples of 64") != std::string::npos);
}

TEST_CASE("the warp form comes after the warpgroup form, as what to fall back on", "[cuda]") {
  test::DenseCase dense;
  std::vector<std::string> remarks;
  std::vector<RankedSchedule> schedules = schedulesOf(dense, 128, "sm_90a", remarks);
  CHECK(schedules.front().schedule.getWorker() == tkern::WorkerKind::Warpgroup);
  CHECK(schedules.back().schedule.getWorker() == tkern::WorkerKind::Warp);
}

TEST_CASE("two blocks share a processor where shared memory lets them", "[cuda]") {
  test::DenseCase dense;
  std::vector<std::string> remarks;
  for (const char *name : {"sm_80", "sm_89"}) {
    RankedSchedule best = schedulesOf(dense, 128, name, remarks)[0];
    CHECK(2 * (best.sharedBytes + 1024) <= parseCudaTarget(name)->sharedBytesPerProcessor);
  }
}
