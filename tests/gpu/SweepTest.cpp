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

void requireClean(const std::string &spec, const std::string &target, int64_t headDim, DType dtype, size_t kernels) {
  Problem problem{.headDim = headDim, .valueDim = headDim, .dtype = dtype, .target = target};
  Result<EmitResult> result = emit(test::specNamed(spec), problem, "artifact");
  INFO(spec << " for " << target << ", head dimension " << headDim << ", " << dtypeName(dtype) << ": "
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
}

} // namespace

TEST_CASE("sla compiles cleanly: one head dimension per architecture", "[nvrtc]") {
  for (size_t index = 0; index < std::size(targets); ++index)
    requireClean("sla", targets[index], headDims[index], DType::bf16, 7);
  requireClean("sla", "sm_80", 256, DType::bf16, 7);
  requireClean("sla", "sm_80", 128, DType::f32, 7);
}

TEST_CASE("specs of several branches compile cleanly", "[nvrtc]") {
  requireClean("nsa", "sm_80", 128, DType::bf16, 11);
  requireClean("vsa", "sm_90a", 128, DType::bf16, 9);
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
