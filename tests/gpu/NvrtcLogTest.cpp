// What is read out of NVRTC's log, and what it means. The lines are ptxas's own, as NVRTC 13.0 gives them.
#include "tercet/compiler/cuda/Nvrtc.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::compiler;

static const char cleanLog[] = "ptxas info    : 0 bytes gmem\n"
                               "ptxas info    : Compiling entry function 'attend' for 'sm_90a'\n"
                               "ptxas info    : Function properties for attend\n"
                               "ptxas         .     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
                               "ptxas info    : Used 168 registers, used 2 barriers, 1024 bytes smem\n"
                               "ptxas info    : Compile time = 258.425 ms\n";

static const char spilledLog[] =
    "ptxas info    : (C7512) Potential Performance Loss: wgmma.mma_async instructions are serialized due to "
    "insufficient "
    "register resources for the function 'attend'\n"
    "ptxas info    : Compiling entry function 'attend' for 'sm_90a'\n"
    "ptxas         .     96 bytes stack frame, 100 bytes spill stores, 92 bytes spill loads\n"
    "ptxas info    : Used 168 registers, used 2 barriers, 96 bytes cumulative stack size\n";

TEST_CASE("a clean log gives registers and shared memory, and no refusal", "[cuda]") {
  KernelResources resources = parseNvrtcLog(cleanLog, "attend");
  CHECK(resources.kernel == "attend");
  CHECK(resources.registers == 168);
  CHECK(resources.sharedBytes == 1024);
  CHECK(resources.spillBytes == 0);
  CHECK(resources.stackBytes == 0);
  CHECK(resources.notes.empty());
  CHECK(refusalOf(resources).empty());
}

TEST_CASE("spills and stack are summed up and refuse the kernel", "[cuda]") {
  KernelResources resources = parseNvrtcLog(spilledLog, "attend");
  CHECK(resources.spillBytes == 192);
  CHECK(resources.stackBytes == 96);
  CHECK(refusalOf(resources) == "192 bytes of spills, 96 bytes of stack");
}

TEST_CASE("a note that names another kernel is not this one's", "[cuda]") {
  CHECK(parseNvrtcLog(spilledLog, "attend").notes.size() == 1);
  CHECK(parseNvrtcLog(spilledLog, "other").notes.empty());
  CHECK(parseNvrtcLog(spilledLog, "other").spillBytes == 0);
}

TEST_CASE("notes of serialised products refuse the kernel, others do not", "[cuda]") {
  for (const char *code : {"C7507", "C7508", "C7510", "C7511", "C7512", "C7514", "C7515", "C7517", "C7519", "C7520"}) {
    KernelResources resources;
    resources.notes = {std::string(code) + ": some text"};
    INFO(code);
    CHECK(refusalOf(resources) == resources.notes[0]);
  }
  KernelResources harmless;
  harmless.notes = {"C7501: some text", "C7599: some text"};
  CHECK(refusalOf(harmless).empty());
}

TEST_CASE("a machine without NVRTC is told what was tried", "[cuda]") {
  std::vector<std::string> candidates = {"/nowhere/libnvrtc.so.13", "libc.so.6"};
  auto nvrtc = Nvrtc::load(candidates);
  REQUIRE_FALSE(nvrtc.ok());
  CHECK(nvrtc.status().code() == Code::unsupportedTarget);
  REQUIRE(nvrtc.status().notes().size() == 1);
  CHECK(nvrtc.status().notes()[0].second == "/nowhere/libnvrtc.so.13 (cannot be loaded); libc.so.6 (is not NVRTC)");
}
