// Compiling in a child process: the same result, and whatever happens to the child is a Status.
#include "gpu/DenseCase.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::compiler;

TEST_CASE("a child compiles what this process compiles", "[nvrtc]") {
  std::string text = test::DenseCase().text("sm_80", 64, "cuda");
  Result<NvrtcOutput> here = (*Nvrtc::get())->compile("attend", text, "sm_80");
  Result<NvrtcOutput> child = compileInChild("attend", text, "sm_80");
  REQUIRE(here.ok());
  INFO((child.ok() ? "" : child.status().message()));
  REQUIRE(child.ok());
  CHECK(child->ptx == here->ptx);
  CHECK(child->cubin == here->cubin);
  CHECK(parseNvrtcLog(child->log, "attend").registers == parseNvrtcLog(here->log, "attend").registers);
}

TEST_CASE("a child's errors keep their code and log", "[nvrtc]") {
  Result<NvrtcOutput> rejected = compileInChild("broken", "int x = ;", "sm_80");
  REQUIRE_FALSE(rejected.ok());
  CHECK(rejected.status().code() == Code::compileFailed);
  CHECK(rejected.status().notes()[0].second.find("expected an expression") != std::string::npos);
  Result<NvrtcOutput> unknown = compileInChild("k", "", "sm_61");
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.status().code() == Code::unsupportedTarget);
}

TEST_CASE("a child that takes too long is ended", "[nvrtc]") {
  Result<NvrtcOutput> late = compileInChild("attend", test::DenseCase().text("sm_80", 128, "cuda"), "sm_80", 0.01);
  REQUIRE_FALSE(late.ok());
  CHECK(late.status().code() == Code::compileFailed);
  CHECK(late.status().message().find("took longer than 0.01 seconds") != std::string::npos);
}

// NVRTC 13.0 crashes on ldmatrix from the constant shared address 0; a version that does not compiles or rejects it.
TEST_CASE("a crash of NVRTC is survived", "[nvrtc]") {
  const char *text = "extern \"C\" __global__ void k(unsigned *to) {\n"
                     "  unsigned a, b, c, d;\n"
                     "  asm volatile(\"ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\"\n"
                     "               : \"=r\"(a), \"=r\"(b), \"=r\"(c), \"=r\"(d) : \"r\"(0));\n"
                     "  to[threadIdx.x] = a + b + c + d;\n"
                     "}\n";
  Result<NvrtcOutput> output = compileInChild("k", text, "sm_90a");
  if (!output.ok()) {
    CHECK(output.status().code() == Code::compileFailed);
    CHECK(output.status().message().find("kernel k for sm_90a") != std::string::npos);
  }
}
