// Plans on the simulator through the public calls: the same artifact and arguments as on a GPU.
#include "../SamplePlan.h"

#include "tercet/AtomicFile.h"
#include "tercet/rt/SimulatedGpu.h"
#include "tercet/rt/StagedCall.h"

#include <catch2/catch.hpp>

using namespace tercet;

namespace {

Artifact scaleRowsArtifact(int64_t budget) {
  Artifact artifact = test::samplePlanArtifact();
  TargetModule &module = artifact.modules[0];
  module.target = "sm_80";
  module.code.clear();
  module.plan.grouping.budgetBytes = budget;
  module.kernels[0].gpu.threads = 128;
  Result<std::vector<uint8_t>> ptx = readWholeFile("tests/unit/runtime/simulated/scale_rows.ptx", 1 << 20);
  REQUIRE(ptx.ok());
  module.kernels[0].gpu.ptx.assign(ptx->begin(), ptx->end());
  return artifact;
}

std::unique_ptr<Session> simulatorSession() {
  SessionOptions options;
  options.threads = 1;
  options.useCache = false;
  options.openDevice = [](const std::string &target) { return rt::openSimulatedGpu(target); };
  return *Session::create(std::move(options));
}

/// Host tensors of the sample plan: 2 batches, 4 query heads on 2 key heads, 5 queries, 7 keys.
struct HostCall {
  std::vector<float> q = std::vector<float>(2 * 4 * 5 * 4), k = std::vector<float>(2 * 2 * 7 * 4), v = k,
                     o = std::vector<float>(q.size()), lse = std::vector<float>(2 * 4 * 5);
  Arguments arguments;
  HostCall() {
    fill(1);
    arguments.tensors = {{"q", Tensor::contiguous(q.data(), DType::f32, {2, 4, 5, 4})},
                         {"k", Tensor::contiguous(k.data(), DType::f32, {2, 2, 7, 4})},
                         {"v", Tensor::contiguous(v.data(), DType::f32, {2, 2, 7, 4})},
                         {"o", Tensor::contiguous(o.data(), DType::f32, {2, 4, 5, 4})},
                         {"lse", Tensor::contiguous(lse.data(), DType::f32, {2, 4, 5})}};
  }
  void fill(float factor) {
    for (size_t i = 0; i < q.size(); ++i)
      q[i] = factor * float(i % 31);
  }
  void check(double keep) const {
    for (size_t i = 0; i < o.size(); ++i)
      if (std::abs(o[i] - 3 * keep * q[i]) > 1e-4) // three slices, each adds keep * q
        FAIL("o[" << i << "] is " << o[i] << ", q " << q[i]);
  }
};

void orFail(const Status &status) {
  INFO(status.message());
  REQUIRE(status.ok());
}

} // namespace

TEST_CASE("a plan runs on the simulator, whatever the groups", "[simulated]") {
  for (int64_t budget : {1, 300, 1000000}) {
    auto session = simulatorSession();
    auto device = *session->device("sim:sm_80");
    auto kernel = session->load(scaleRowsArtifact(budget), "sim:sm_80");
    orFail(kernel.status());
    HostCall call;
    rt::StagedCall staged = *rt::StagedCall::upload(device, call.arguments);
    auto workspace = *rt::GpuMemory::allocate(device, *(*kernel)->workspaceBytes(call.arguments));
    LaunchReport report;
    orFail((*kernel)->launch(staged.arguments(), workspace.data(), workspace.size(), &report));
    CHECK(call.o == std::vector<float>(call.o.size())); // a launch copies nothing
    orFail(staged.download({"o", "lse"}));
    INFO("budget " << budget);
    call.check(0.05);
    CHECK(call.lse == std::vector<float>(call.lse.size(), 3 * 7)); // the byte of the memset
    REQUIRE(report.stageMs.size() == 1);
  }
}

TEST_CASE("a captured launch replays on changed data with the parameters it was captured with", "[simulated]") {
  auto session = simulatorSession();
  auto device = *session->device("sim:sm_80");
  auto kernel = *session->load(scaleRowsArtifact(300), "sim:sm_80");
  HostCall call;
  rt::StagedCall staged = *rt::StagedCall::upload(device, call.arguments);
  auto workspace = *rt::GpuMemory::allocate(device, *kernel->workspaceBytes(call.arguments));
  Arguments arguments = staged.arguments();
  arguments.parameters = {{"keep", 0.5}};
  rt::GpuStream stream = *device->createStream();
  orFail(device->beginCapture(stream));
  orFail(kernel->enqueue(arguments, workspace.data(), workspace.size(), stream));
  auto graph = *device->endCapture(stream);
  CHECK(device->counts().empty());
  call.fill(2);
  orFail(staged.refresh());
  orFail(graph->launch(stream));
  orFail(device->synchronize(stream));
  orFail(staged.download({"o"}));
  call.check(0.5);
  device->destroyStream(stream);
}

TEST_CASE("the simulator counts per kernel", "[simulated]") {
  auto session = simulatorSession();
  auto device = *session->device("sim:sm_80");
  auto kernel = *session->load(scaleRowsArtifact(1000000), "sim:sm_80");
  HostCall call;
  rt::StagedCall staged = *rt::StagedCall::upload(device, call.arguments);
  auto workspace = *rt::GpuMemory::allocate(device, *kernel->workspaceBytes(call.arguments));
  orFail(kernel->launch(staged.arguments(), workspace.data(), workspace.size()));
  std::vector<rt::GpuKernelCounts> counts = device->counts();
  REQUIRE(counts.size() == 1);
  CHECK(counts[0].kernel == "scale_rows");
  CHECK(counts[0].launches == 1);
  std::map<std::string, double> byName(counts[0].counts.begin(), counts[0].counts.end());
  CHECK(byName["warps"] == 8 * 4);                         // heads x warps of a block
  CHECK(byName["global_store_bytes"] == 8 * (20 + 5) * 4); // o and lse
  device->resetCounts();
  CHECK(device->counts().empty());
}

TEST_CASE("a kernel that leaves its tensors is a failed launch with a place", "[simulated]") {
  auto session = simulatorSession();
  auto device = *session->device("sim:sm_80");
  Artifact artifact = scaleRowsArtifact(1000000);
  artifact.modules[0].plan.nodes[0].body[1].body[0].grid[0] = Expr(40); // more blocks than heads
  auto kernel = *session->load(std::move(artifact), "sim:sm_80");
  HostCall call;
  rt::StagedCall staged = *rt::StagedCall::upload(device, call.arguments);
  auto workspace = *rt::GpuMemory::allocate(device, *kernel->workspaceBytes(call.arguments));
  Status status = kernel->launch(staged.arguments(), workspace.data(), workspace.size());
  CHECK(status.code() == Code::launchFailed);
  CHECK_THAT(status.message(), Catch::Contains("scale_rows") || Catch::Contains("ld.global"));
}

TEST_CASE("compiling for a simulated GPU leaves the target to the compiler", "[simulated]") {
  struct Asked : Compiler {
    std::string target;
    Result<CompileKey> key(const Spec &, const Problem &problem) override {
      return CompileKey{{problem.target}, problem};
    }
    Result<Artifact> compile(const Spec &, const Problem &problem) override {
      target = problem.target;
      return scaleRowsArtifact(1);
    }
  };
  auto compiler = std::make_shared<Asked>();
  SessionOptions options;
  options.useCache = false;
  options.openDevice = [](const std::string &target) { return rt::openSimulatedGpu(target); };
  auto session = *Session::create(std::move(options), compiler);
  REQUIRE(session->compile({}, {4, 4, DType::f32, "sim:sm_90a"}).ok());
  CHECK(compiler->target == "sim:sm_90a");
}

TEST_CASE("names that are no simulated device are refused", "[simulated]") {
  for (const char *target : {"sim:sm_70", "sim:sm_90x", "sim:", "sm_80"})
    CHECK(rt::openSimulatedGpu(target).status().code() == Code::unsupportedTarget);
  auto device = *rt::openSimulatedGpu("sim:sm_90a");
  CHECK(device->properties().architecture == "sm_90a");
  CHECK(device->properties().sharedBytesPerBlock == 227 * 1024);
  auto session = simulatorSession();
  CHECK(session->load(scaleRowsArtifact(1), "sim:sm_120").ok()); // PTX of an earlier architecture
}
