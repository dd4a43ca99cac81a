// GPU plans executed on the fake driver: order, parameters, tensor maps, capture, refusals.
#include "FakeCuda.h"

#include "../SamplePlan.h"

#include "tercet/rt/GpuDevice.h"
#include "tercet/rt/GpuKernel.h"

#include <catch2/catch.hpp>

#include <dlfcn.h>

using namespace tercet;

namespace {

FakeCudaLog &driverLog() {
  auto get = reinterpret_cast<FakeCudaLog *(*)()>(dlsym(dlopen("libcuda.so.1", RTLD_NOW), "fakeCudaLog"));
  REQUIRE(get);
  return *get();
}

/// q [2, 4, 5, 4], k and v [2, 2, 7, 4] on the device, and the sample kernel on cuda:0.
struct GpuRun {
  std::unique_ptr<Session> session = *Session::create({.threads = 1, .useCache = false});
  std::shared_ptr<rt::GpuDevice> device = *session->device("cuda:0");
  std::shared_ptr<Kernel> kernel;
  std::vector<rt::GpuMemory> memory;
  Arguments arguments;
  rt::GpuMemory workspace;

  explicit GpuRun(int64_t budget = 4096) {
    Artifact artifact = test::sampleGpuArtifact();
    artifact.modules[1].plan.grouping.budgetBytes = budget;
    Result<std::shared_ptr<Kernel>> loaded = session->load(std::move(artifact), "cuda:0");
    INFO(loaded.status().message());
    REQUIRE(loaded.ok());
    kernel = *loaded;
    for (auto [name, heads, tokens] : {std::tuple{"q", 4, 5}, {"k", 2, 7}, {"v", 2, 7}, {"o", 4, 5}})
      add(name, {2, heads, tokens, 4});
    add("lse", {2, 4, 5});
    setQ(1);
    workspace = *rt::GpuMemory::allocate(device, *kernel->workspaceBytes(arguments));
  }

  void add(const char *name, std::initializer_list<int64_t> shape) {
    Tensor tensor = Tensor::contiguous(nullptr, DType::f32, shape);
    memory.push_back(*rt::GpuMemory::allocate(device, size_t(tensor.elements()) * sizeof(float)));
    tensor.data = memory.back().data();
    arguments.tensors.emplace_back(name, tensor);
    REQUIRE(device->fill(tensor.data, 0, memory.back().size(), nullptr).ok());
  }
  void setQ(float factor) {
    std::vector<float> host(2 * 4 * 5 * 4);
    for (size_t i = 0; i < host.size(); ++i)
      host[i] = factor * float(i % 31);
    REQUIRE(device->copyToDevice(memory[0].data(), host.data(), host.size() * sizeof(float), nullptr).ok());
  }
  std::vector<float> read(size_t index) const {
    std::vector<float> host(memory[index].size() / sizeof(float));
    REQUIRE(device->copyToHost(host.data(), memory[index].data(), memory[index].size(), nullptr).ok());
    return host;
  }
  Tensor &tensor(const std::string &name) {
    for (auto &[known, tensor] : arguments.tensors)
      if (known == name)
        return tensor;
    throw std::out_of_range(name);
  }
  std::string refusal() {
    size_t launches = driverLog().launches.size();
    Status status = kernel->enqueue(arguments, workspace.data(), workspace.size(), nullptr);
    CHECK(status.code() == Code::invalidArgument);
    CHECK(driverLog().launches.size() == launches);
    return status.message();
  }
};

void checkSum(const GpuRun &run, double keep, float factor) {
  std::vector<float> o = run.read(3);
  for (size_t i = 0; i < o.size(); ++i)
    if (std::abs(o[i] - 3 * keep * factor * float(i % 31)) > 1e-4) // three slices, each adds keep * q
      FAIL("o[" << i << "] is " << o[i]);
}

} // namespace

TEST_CASE("a plan visits every head and slice once on a GPU, whatever the groups", "[gpu-kernel]") {
  for (int64_t budget : {1, 300, 4096, 1000000}) {
    GpuRun run(budget);
    INFO("budget " << budget);
    LaunchReport report;
    Status status = run.kernel->launch(run.arguments, run.workspace.data(), run.workspace.size(), &report);
    INFO(status.message());
    REQUIRE(status.ok());
    checkSum(run, 0.05, 1);
    CHECK(run.read(4) == std::vector<float>(2 * 4 * 5, 3 * 7)); // the byte of the memset
    REQUIRE(report.stageMs.size() == 1);
    CHECK(report.stageMs[0].first == "attend");
    CHECK(report.totalMs > 0);
  }
}

TEST_CASE("a launch takes threads, shared memory and maps from the module", "[gpu-kernel]") {
  GpuRun run;
  CHECK(driverLog().image[0] == 1); // native code is preferred to PTX
  REQUIRE(run.kernel->launch(run.arguments, run.workspace.data(), run.workspace.size()).ok());
  CHECK(driverLog().launches.back().threads == 128);
  CHECK(driverLog().launches.back().shared == 40000);
  const FakeCudaMap &map = driverLog().maps.back();
  CHECK(map.type == 7); // float32
  CHECK(map.sizes == std::vector<uint64_t>{4, 5, 8});
  CHECK(map.strides == std::vector<uint64_t>{16, 80});
  CHECK(run.kernel->module().target == "sm_90a");
}

TEST_CASE("queueing neither waits nor allocates on the device", "[gpu-kernel]") {
  GpuRun run;
  int allocations = driverLog().allocations, synchronizations = driverLog().synchronizations;
  REQUIRE(run.kernel->enqueue(run.arguments, run.workspace.data(), run.workspace.size(), nullptr).ok());
  CHECK(driverLog().allocations == allocations);
  CHECK(driverLog().synchronizations == synchronizations);
}

TEST_CASE("a captured launch replays on changed data with the parameters it was captured with", "[gpu-kernel]") {
  GpuRun run;
  run.arguments.parameters = {{"keep", 0.5}};
  rt::GpuStream stream = *run.device->createStream();
  REQUIRE(run.device->beginCapture(stream).ok());
  REQUIRE(run.kernel->enqueue(run.arguments, run.workspace.data(), run.workspace.size(), stream).ok());
  auto graph = *run.device->endCapture(stream);
  CHECK(run.read(3) == std::vector<float>(2 * 4 * 5 * 4)); // nothing has run yet
  run.setQ(2);
  run.arguments.parameters = {{"keep", 0.25}};
  REQUIRE(graph->launch(stream).ok());
  REQUIRE(run.device->synchronize(stream).ok());
  checkSum(run, 0.5, 2);
  run.device->destroyStream(stream);
}

TEST_CASE("addresses and strides that kernels cannot copy are refused by name", "[gpu-kernel]") {
  GpuRun run;
  Tensor &q = run.tensor("q");
  Tensor kept = q;
  q.data = static_cast<char *>(q.data) + 4;
  CHECK_THAT(run.refusal(), Catch::Contains("'q' has the address") && Catch::Contains("multiple of 16 bytes"));
  q = kept;
  q.strides[2] = 5;
  CHECK_THAT(run.refusal(), Catch::Contains("'q' has stride 5 along dimension 2, which is 20 bytes"));
  q.strides[2] = -4;
  CHECK_THAT(run.refusal(), Catch::Contains("'q' has a stride of -4 elements") && Catch::Contains("positive"));
  q = kept;
  CHECK(run.kernel->enqueue(run.arguments, run.workspace.data(), 8, nullptr).code() == Code::invalidArgument);
  CHECK(
      run.kernel->enqueue(run.arguments, static_cast<char *>(run.workspace.data()) + 64, run.workspace.size(), nullptr)
          .code() == Code::invalidArgument);
  q.dtype = DType::bf16;
  CHECK_THAT(run.refusal(), Catch::Contains("compiled for f32"));
}

TEST_CASE("a strides of axes of one element does not matter", "[gpu-kernel]") {
  GpuRun run;
  for (auto &[name, tensor] : run.arguments.tensors) {
    tensor.shape[0] = 1;
    tensor.strides[0] = name == "q" ? 3 : tensor.strides[0];
  }
  Status status = run.kernel->enqueue(run.arguments, run.workspace.data(), run.workspace.size(), nullptr);
  INFO(status.message());
  CHECK(status.ok());
}

TEST_CASE("a GPU takes the best module that it runs", "[gpu-kernel]") {
  auto chosen = [](std::vector<std::pair<std::string, bool>> modules, const char *architecture, bool runsCubin = true) {
    Artifact artifact;
    for (const auto &[target, hasCubin] : modules) {
      TargetModule &module = artifact.modules.emplace_back();
      module.target = target;
      module.kernels.emplace_back().gpu.ptx = "ptx";
      if (hasCubin)
        module.kernels.back().gpu.cubin = {1};
    }
    rt::GpuProperties device;
    device.architecture = architecture;
    device.runsCubin = runsCubin;
    device.runsPtx = true;
    return rt::chooseGpuModule(artifact, device);
  };
  CHECK(chosen({{"cpu:v3", false}, {"sm_80", true}, {"sm_90", true}, {"sm_90a", true}}, "sm_90a") == 3);
  CHECK(chosen({{"sm_80", true}, {"sm_90", true}}, "sm_90a") == 1);
  CHECK(chosen({{"sm_80", true}, {"sm_86", true}}, "sm_89") == 1);
  CHECK(chosen({{"sm_80", true}, {"sm_90a", true}}, "sm_100") == 0); // PTX of sm_80; sm_90a runs on 9.0 only
  CHECK(chosen({{"sm_90a", true}}, "sm_90", false) == -1);
  CHECK(chosen({{"sm_90", true}}, "sm_80") == -1);
  CHECK(chosen({{"sm_100f", true}, {"sm_90", false}}, "sm_103") == 0);
  CHECK(chosen({{"cpu:v3", false}}, "sm_80") == -1);
}

TEST_CASE("an artifact without code for a GPU says what it has", "[gpu-kernel]") {
  GpuRun run;
  CHECK(run.session->load(test::samplePlanArtifact(), "cuda").status().message() ==
        "the artifact has no code that 'cuda:0' (sm_90a) can run; it has: cpu:portable");
  Artifact large = test::sampleGpuArtifact();
  large.modules[1].kernels[0].gpu.dynamicSharedBytes = 300000;
  CHECK(run.session->load(std::move(large), "cuda").status().code() == Code::unsupportedTarget);
}

TEST_CASE("compiling for a GPU asks the compiler for its architecture", "[gpu-kernel]") {
  struct Asked : Compiler {
    std::vector<std::string> targets;
    Result<CompileKey> key(const Spec &, const Problem &problem) override {
      return CompileKey{{problem.target}, problem};
    }
    Result<Artifact> compile(const Spec &, const Problem &problem) override {
      targets.push_back(problem.target);
      return test::sampleGpuArtifact();
    }
  };
  auto compiler = std::make_shared<Asked>();
  auto session = *Session::create({.threads = 1, .useCache = false}, compiler);
  CHECK(session->compile({}, {4, 4, DType::f32, "cuda"}).ok());
  CHECK(session->compile({}, {4, 4, DType::f32, "sim:sm_80"}).status().message() ==
        "this session cannot open 'sim:sm_80': it was given no such devices");
  CHECK(compiler->targets == std::vector<std::string>{"sm_90a"});
  CHECK(session->device("cpu").status().code() == Code::invalidArgument);
}
