// Every kernel of sla and of specs with several branches compiles without spills, stack or serialised products, at every
// architecture and head dimension.
#include "support/SpecSource.h"
#include "tercet/Jit.h"

#include <catch2/catch.hpp>

#include <fmt/format.h>

using namespace tercet;

namespace {

const char *const targets[] = {"sm_80", "sm_86", "sm_89", "sm_90", "sm_90a", "sm_100", "sm_120"};
constexpr int64_t headDims[] = {64, 72, 80, 96, 128, 160, 192, 256};

/// The remarks.
std::vector<std::string> requireClean(const Spec &spec, const Problem &problem, size_t kernels) {
  Result<EmitResult> result = emit(spec, problem, "artifact");
  INFO(spec.origin << " for " << problem.target << ", head dimensions " << problem.headDim << " and "
                   << problem.valueDim << ", " << dtypeName(problem.dtype) << ": "
                   << (result.ok() ? "" : result.status().message()));
  REQUIRE(result.ok());
  CHECK(result->kernels.size() == kernels);
  for (const KernelResources &kernel : result->kernels) {
    INFO(kernel.kernel);
    CHECK(kernel.spillBytes == 0);
    CHECK(kernel.stackBytes == 0);
    CHECK(kernel.registers > 0);
    CHECK(kernel.codeBytes > 0);
  }
  return result->remarks;
}

void requireClean(const std::string &spec, const std::string &target, int64_t headDim, DType dtype, size_t kernels) {
  Problem problem{.headDim = headDim, .valueDim = headDim, .dtype = dtype, .target = target};
  requireClean(test::specNamed(spec), problem, kernels);
}

} // namespace

TEST_CASE("sla compiles cleanly: one head dimension per architecture", "[nvrtc]") {
  for (size_t index = 0; index < std::size(targets); ++index)
    requireClean("sla", targets[index], headDims[index], DType::bf16, 7);
  requireClean("sla", "sm_80", 256, DType::bf16, 7);
  requireClean("sla", "sm_80", 128, DType::f32, 7);
}

TEST_CASE("specs of several branches compile cleanly", "[nvrtc]") {
  requireClean("nsa", "sm_80", 128, DType::bf16, 12);
  requireClean("nsa/16", "sm_80", 128, DType::bf16, 11);
  requireClean("vsa", "sm_90a", 128, DType::bf16, 13); // four of them for its token order
  requireClean("nsa", "sm_80", 256, DType::bf16, 12);
  requireClean("vsa", "sm_80", 256, DType::bf16, 13);
}

TEST_CASE("blocks of one warp have the registers that their rows take", "[nvrtc]") {
  const Spec sla = test::specNamed("sla", {{"block_q", "16"}, {"block_k", "16"}});
  for (const Problem &problem : {Problem{.headDim = 24, .valueDim = 96, .dtype = DType::bf16, .target = "sm_80"},
                                 Problem{.headDim = 56, .valueDim = 256, .dtype = DType::f32, .target = "sm_80"}})
    for (const std::string &remark : requireClean(sla, problem, 7))
      CHECK_THAT(remark, !Catch::Matchers::Contains("is passed over"));
}

TEST_CASE("sla compiles cleanly at every architecture and head dimension", "[.][sweep]") {
  for (const char *target : targets)
    for (int64_t headDim : headDims)
      requireClean("sla", target, headDim, DType::bf16, 7);
}

TEST_CASE("every spec compiles cleanly in every dtype", "[.][sweep]") {
  for (auto [spec, kernels] : {std::pair<const char *, size_t>{"dense", 1},
                               {"sparse_topk", 5},
                               {"sla", 7},
                               {"sla_all", 7},
                               {"sla_non_critical", 7},
                               {"block_mean", 5}})
    for (DType dtype : {DType::bf16, DType::f16, DType::f32})
      for (int64_t headDim : {64, 128, 256})
        requireClean(spec, "sm_80", headDim, dtype, kernels);
}
