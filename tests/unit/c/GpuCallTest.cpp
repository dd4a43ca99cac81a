// Calls of the C interface on a GPU, which the fake driver is (tests/unit/runtime/cuda): where tensors may lie, streams, refusals.
#include "TestCall.h"

#include "unit/runtime/SamplePlan.h"
#include "unit/runtime/cuda/FakeCuda.h"

#include "tercet/rt/CudaDriver.h"
#include "tercet/rt/GpuDevice.h"

#include <dlfcn.h>

using namespace tercet::test;
namespace rt = tercet::rt;

namespace {

FakeCudaLog &driverLog() {
  auto get = reinterpret_cast<FakeCudaLog *(*)()>(dlsym(dlopen("libcuda.so.1", RTLD_NOW), "fakeCudaLog"));
  REQUIRE(get);
  return *get();
}

/// The sample kernel on cuda:0, and a call of it with tensors in memory of that device.
struct GpuCall {
  SessionHandle session = newSession();
  ArtifactHandle artifact;
  KernelHandle kernel;
  std::shared_ptr<rt::GpuDevice> device = *rt::openCudaDevice(0);
  std::vector<rt::GpuMemory> memory;
  TestCall call;

  GpuCall() {
    std::vector<uint8_t> bytes = sampleGpuArtifact().serialize();
    tercet_artifact *read = nullptr;
    succeed(tercet_artifact_read(bytes.data(), bytes.size(), &read));
    artifact.reset(read);
    tercet_kernel *made = nullptr;
    succeed(tercet_load(session.get(), artifact.get(), "cuda:0", TERCET_INFERENCE, &made));
    kernel.reset(made);
    for (auto [name, heads, tokens] : {std::tuple{"q", 4, 5}, {"k", 2, 7}, {"v", 2, 7}, {"o", 4, 5}}) {
      TestCall::Owned &tensor = call.add(name, {2, heads, tokens, 4});
      size_t size = tensor.data.size() * sizeof(float);
      void *at = allocate(size);
      REQUIRE(device->copyToDevice(at, tensor.data.data(), size, nullptr).ok());
      if (name[0] == 'o')
        REQUIRE(device->fill(at, 0, size, nullptr).ok());
      tensor.tensor.data = at;
      tensor.tensor.device = {kDLCUDA, 0};
    }
    tercet_call &view = call.view();
    succeed(tercet_kernel_workspace(kernel.get(), &view, &view.workspace_bytes));
    view.workspace = allocate(view.workspace_bytes);
  }
  void *allocate(size_t bytes) {
    memory.push_back(*rt::GpuMemory::allocate(device, bytes));
    return memory.back().data();
  }
  void refused(std::vector<std::string> parts) {
    size_t launches = driverLog().launches.size();
    fail(tercet_enqueue(kernel.get(), &call.view()), TERCET_INVALID_ARGUMENT, parts);
    fail(tercet_launch(kernel.get(), &call.view(), nullptr), TERCET_INVALID_ARGUMENT, parts);
    CHECK(driverLog().launches.size() == launches);
  }
};

} // namespace

TEST_CASE("a call runs on tensors of its device, also queued, and allocates nothing there", "[c][gpu]") {
  GpuCall gpu;
  int allocations = driverLog().allocations;
  char *report = nullptr;
  succeed(tercet_launch(gpu.kernel.get(), &gpu.call.view(), &report));
  CHECK(taken(report).find("\"attend\"") != std::string::npos);
  gpu.call["q"].tensor.device = {kDLCUDAManaged, 0};
  succeed(tercet_enqueue(gpu.kernel.get(), &gpu.call.view()));
  CHECK(driverLog().allocations == allocations);
  std::vector<float> o(gpu.call["o"].data.size());
  REQUIRE(gpu.device->copyToHost(o.data(), gpu.memory[3].data(), o.size() * sizeof(float), nullptr).ok());
  for (size_t i = 0; i < o.size(); ++i) // two launches of three slices, each of which adds keep * q
    CHECK(o[i] == Approx(6 * 0.05 * gpu.call["q"].data[i]).margin(1e-5));
}

TEST_CASE("tensors elsewhere are refused on a GPU", "[c][gpu]") {
  GpuCall gpu;
  gpu.call["k"].tensor.device = {kDLCPU, 0};
  gpu.refused({"'k' lies on a device of type 1 with number 0", "'cuda:0'", "kDLCUDA (2) with number 0"});
  gpu.call["k"].tensor.device = {kDLCUDA, 1};
  gpu.refused({"'k' lies on a device of type 2 with number 1"});
}

TEST_CASE("devices and code that are not there", "[c][gpu]") {
  GpuCall gpu;
  tercet_kernel *kernel = nullptr;
  fail(tercet_load(gpu.session.get(), gpu.artifact.get(), "cuda:7", TERCET_INFERENCE, &kernel),
       TERCET_DEVICE_UNAVAILABLE, {"no GPU 7", "shows 1"});
  fail(tercet_load(gpu.session.get(), gpu.artifact.get(), "cuda:x", TERCET_INFERENCE, &kernel),
       TERCET_UNSUPPORTED_TARGET, {"'cuda:x'", "cuda:N"});
  std::vector<uint8_t> bytes = samplePlanArtifact().serialize();
  tercet_artifact *read = nullptr;
  succeed(tercet_artifact_read(bytes.data(), bytes.size(), &read));
  ArtifactHandle forCpu(read);
  fail(tercet_load(gpu.session.get(), forCpu.get(), "cuda", TERCET_INFERENCE, &kernel), TERCET_UNSUPPORTED_TARGET,
       {"sm_90a", "cpu:portable"});
  CHECK(kernel == nullptr);
}
