#include "SampleModule.h"

#include "tercet/Cpu.h"
#include "tercet/rt/CpuModule.h"

using namespace tercet;
using namespace tercet::rt;

namespace {

std::unique_ptr<Session> sessionWith(int threads) {
  SessionOptions options;
  options.threads = threads;
  options.useCache = false;
  return *Session::create(options);
}

} // namespace

TEST_CASE("two modules live side by side, and one may be reloaded", "[module]") {
  auto call = [](const CpuModule &module) {
    int64_t out[2] = {};
    int64_t slots[] = {reinterpret_cast<int64_t>(out)};
    module.find("sample_kernel")(slots, 1, 0, 0, nullptr);
    return out[1];
  };
  auto first = CpuModule::load(test::sampleCode(1)), second = CpuModule::load(test::sampleCode(2));
  REQUIRE((first.ok() && second.ok()));
  CHECK(call(**first) == 101);
  CHECK(call(**second) == 201);
  CHECK((*first)->find("no_such_kernel") == nullptr);
  for (int round = 0; round < 20; ++round) { // descriptors and paths are used again; code must not be mixed up
    first = CpuModule::load(test::sampleCode(round % 2 ? 1 : 2));
    REQUIRE(first.ok());
    CHECK(call(**first) == (round % 2 ? 101 : 201));
  }
}

TEST_CASE("code that is no shared object is refused", "[module]") {
  std::vector<uint8_t> code = test::sampleCode(1);
  CHECK(CpuModule::load({}).status().code() == Code::compileFailed);
  CHECK(CpuModule::load(std::span<const uint8_t>(code).first(200)).status().code() == Code::compileFailed);
  std::vector<uint8_t> text(100, 'x');
  CHECK(CpuModule::load(text).status().message() == "the artifact's CPU code is not an ELF shared object");
}

TEST_CASE("a session loads an artifact's module and runs it", "[session]") {
  auto session = sessionWith(2);
  auto kernel = session->load(test::sampleModuleArtifact(1));
  REQUIRE(kernel.ok());
  CHECK(test::sampleValue(**kernel) == 100);
}

TEST_CASE("the best module that the processor runs is taken", "[session]") {
  auto session = sessionWith(1);
  Artifact artifact = test::sampleModuleArtifact(1);
  TargetModule better = artifact.modules[0];
  better.target = fmt::format("cpu:{}", cpuLevelName(detectCpuLevel()));
  better.code = test::sampleCode(2);
  artifact.modules.push_back(better);
  if (detectCpuLevel() != CpuLevel::portable)
    CHECK(test::sampleValue(**session->load(artifact)) == 200);
  CHECK(test::sampleValue(**session->load(artifact, "cpu:portable")) == 100);
}

TEST_CASE("targets that cannot run are refused with what there is", "[session]") {
  auto session = sessionWith(1);
  Artifact artifact = test::sampleModuleArtifact(1);
  CHECK_THAT(session->load(artifact, "sm_90a").status().message(), Catch::Contains("cannot run on 'sm_90a'"));
  CHECK(session->load(artifact, "cpu:v9").status().code() == Code::unsupportedTarget);
  artifact.modules[0].target = "sm_90a";
  artifact.modules[0].code.clear();
  artifact.modules[0].kernels[0].gpu.threads = 32;
  artifact.modules[0].kernels[0].gpu.ptx = ".version 8.0";
  CHECK_THAT(session->load(artifact).status().message(), Catch::Contains("it has: sm_90a"));
}

TEST_CASE("a module that lacks a promised kernel is refused", "[session]") {
  auto session = sessionWith(1);
  Artifact artifact = test::sampleModuleArtifact(1);
  artifact.modules[0].kernels[0].name = artifact.modules[0].plan.nodes[0].callee = "other_kernel";
  CHECK_THAT(session->load(artifact).status().message(), Catch::Contains("'other_kernel' but does not define it"));
}
