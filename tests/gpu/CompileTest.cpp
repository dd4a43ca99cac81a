// Every kernel compiles to a cubin without spills, stack or serialised products, with the first schedule.
#include "gpu/DenseCase.h"

#include <catch2/catch.hpp>

using namespace tercet;

namespace {

void requireClean(test::DenseCase &dense, const std::string &target, int64_t headDim, DType dtype = DType::bf16,
                  int64_t valueDim = 0) {
  Result<EmitResult> result = dense.emit(target, headDim, "cubin", dtype, valueDim);
  INFO(target << ", head dimension " << headDim << ", " << dtypeName(dtype) << ": "
              << (result.ok() ? "" : result.status().message()));
  REQUIRE(result.ok());
  for (const std::string &remark : result->remarks) {
    INFO(remark);
    CHECK(remark.find("passed over") == std::string::npos);
  }
  CHECK(result->bytes.substr(1, 3) == "ELF");
  CHECK_FALSE(result->isText);
  REQUIRE(result->kernels.size() == 1);
  const KernelResources &resources = result->kernels[0];
  CHECK(resources.kernel == "attend");
  CHECK(resources.spillBytes == 0);
  CHECK(resources.stackBytes == 0);
  CHECK(resources.registers > 0);
  CHECK(resources.sharedBytes > 0);
  CHECK(resources.codeBytes == static_cast<int64_t>(result->bytes.size()));
}

} // namespace

TEST_CASE("dense attention compiles for every architecture that NVRTC has", "[nvrtc]") {
  test::DenseCase dense;
  int compiled = 0;
  for (int number : (*compiler::Nvrtc::get())->architectures())
    if (std::string name = fmt::format("sm_{}", number); compiler::parseCudaTarget(name).ok()) {
      requireClean(dense, name, 128);
      ++compiled;
    }
  CHECK(compiled >= 5);
}

TEST_CASE("every sort of head dimension compiles for sm_80", "[nvrtc]") {
  test::DenseCase dense;
  for (int64_t headDim : {8, 40, 64, 72, 80, 96, 112, 160, 192, 224, 256})
    requireClean(dense, "sm_80", headDim);
}

TEST_CASE("large head dimensions compile where shared memory is small", "[nvrtc]") {
  test::DenseCase dense;
  for (int64_t headDim : {160, 256})
    requireClean(dense, "sm_89", headDim);
}

TEST_CASE("warpgroup and fallback dimensions compile for sm_90a", "[nvrtc]") {
  test::DenseCase dense;
  for (int64_t headDim : {64, 80, 96, 128, 192, 256})
    requireClean(dense, "sm_90a", headDim);
}

TEST_CASE("f16, and values of another dimension than keys, compile", "[nvrtc]") {
  test::DenseCase dense;
  for (const char *target : {"sm_80", "sm_90a"}) {
    requireClean(dense, target, 128, DType::f16);
    requireClean(dense, target, 192, DType::bf16, 128);
    requireClean(dense, target, 64, DType::bf16, 8);
  }
}

TEST_CASE("ptx is text for the architecture that was asked for", "[nvrtc]") {
  std::string ptx = test::DenseCase().text("sm_90a", 64, "ptx");
  CHECK(ptx.find(".target sm_90a") != std::string::npos);
  CHECK(ptx.find("wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16") != std::string::npos);
}

TEST_CASE("an architecture that NVRTC does not have is refused with those it has", "[nvrtc]") {
  auto result = (*compiler::Nvrtc::get())->compile("k", "", "sm_61");
  REQUIRE_FALSE(result.ok());
  CHECK(result.status().code() == Code::unsupportedTarget);
  CHECK(result.status().message().find("does not compile for sm_61; it does for sm_") != std::string::npos);
}

TEST_CASE("a rejected kernel comes back with NVRTC's log and the source", "[nvrtc]") {
  auto result = (*compiler::Nvrtc::get())->compile("broken", "int x = ;", "sm_80");
  REQUIRE_FALSE(result.ok());
  CHECK(result.status().code() == Code::compileFailed);
  REQUIRE(result.status().notes().size() == 3);
  CHECK(result.status().notes()[0].second.find("expected an expression") != std::string::npos);
  CHECK(result.status().notes()[1] == std::pair<std::string, std::string>("source", "int x = ;"));
}
