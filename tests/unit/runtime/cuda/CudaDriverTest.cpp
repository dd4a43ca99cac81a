// The CUDA driver's side of GpuDevice, on the fake libcuda.so.1 that the loader finds first (FakeCuda.cpp).
#include "FakeCuda.h"

#include "tercet/rt/CudaDriver.h"

#include <catch2/catch.hpp>

#include <cstring>
#include <dlfcn.h>

using namespace tercet;

namespace {

FakeCudaLog &driverLog() {
  void *library = dlopen("libcuda.so.1", RTLD_NOW);
  REQUIRE(library);
  auto get = reinterpret_cast<FakeCudaLog *(*)()>(dlsym(library, "fakeCudaLog"));
  REQUIRE(get);
  return *get();
}

std::shared_ptr<rt::GpuDevice> openDevice() {
  Result<std::shared_ptr<rt::GpuDevice>> device = rt::openCudaDevice(0);
  INFO(device.status().message());
  REQUIRE(device.ok());
  return *device;
}

std::span<const uint8_t> bytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

} // namespace

TEST_CASE("a GPU tells what decides schedules", "[cuda]") {
  auto device = openDevice();
  const rt::GpuProperties &properties = device->properties();
  CHECK(properties.target == "cuda:0");
  CHECK(properties.name == "Fake H200");
  CHECK(properties.architecture == "sm_90a");
  CHECK(properties.multiprocessors == 132);
  CHECK(properties.sharedBytesPerBlock == 232448);
  CHECK(properties.clockGHz == Approx(1.98));
  CHECK(properties.driver == "CUDA driver 12.8");
  CHECK(openDevice() == device); // one per process
  CHECK(*rt::countCudaDevices() == 1);
}

TEST_CASE("architectures to compile for", "[cuda]") {
  CHECK(rt::architectureOf(8, 0) == "sm_80");
  CHECK(rt::architectureOf(9, 0) == "sm_90a");
  CHECK(rt::architectureOf(12, 0) == "sm_120");
}

TEST_CASE("a GPU that is not there is unavailable", "[cuda]") {
  Status status = rt::openCudaDevice(1).takeStatus();
  CHECK(status.code() == Code::deviceUnavailable);
  CHECK(status.message() == "there is no GPU 1; the driver shows 1");
}

TEST_CASE("memory is copied, filled and given back", "[cuda]") {
  auto device = openDevice();
  std::vector<char> host = {1, 2, 3, 4, 5, 6, 7, 8}, back(8);
  Result<rt::GpuMemory> memory = rt::GpuMemory::allocate(device, host.size());
  REQUIRE(memory.ok());
  REQUIRE(device->copyToDevice(memory->data(), host.data(), host.size(), nullptr).ok());
  REQUIRE(device->fill(memory->data(), 9, 2, nullptr).ok());
  REQUIRE(device->copyToHost(back.data(), memory->data(), back.size(), nullptr).ok());
  CHECK(back == std::vector<char>{9, 9, 3, 4, 5, 6, 7, 8});
  CHECK(device->copyToDevice(memory->data(), host.data(), 300, nullptr).message() ==
        "cuMemcpyHtoDAsync failed: CUDA_ERROR_INVALID_VALUE (fake)");
  CHECK(device->allocate(size_t{1} << 40).status().message() ==
        "cuda:0 cannot give 1099511627776 bytes of memory: CUDA_ERROR_OUT_OF_MEMORY (fake)");
}

TEST_CASE("PTX reaches the driver with its zero byte, and its log comes back", "[cuda]") {
  auto device = openDevice();
  std::string text = ".version 8.0 tail"; // the loader sees the first 12 bytes only
  REQUIRE(device->load(bytesOf(std::string_view(text).substr(0, 12))).ok());
  CHECK(driverLog().image == ".version 8.0");
  Status broken = device->load(bytesOf("broken")).takeStatus();
  CHECK(broken.code() == Code::launchFailed);
  REQUIRE(broken.notes().size() == 1);
  CHECK(broken.notes()[0].second == "line 7: broken");
}

TEST_CASE("a kernel is found with its attributes, and its shared memory is asked for once", "[cuda]") {
  auto device = openDevice();
  auto image = *device->load(bytesOf(".version 8.0"));
  auto function = image->find("tune", 100000);
  REQUIRE(function.ok());
  CHECK((*function)->attributes().registers == 96);
  CHECK((*function)->attributes().mostThreads == 256);
  CHECK(image->find("missing", 0).status().message() == "cuLibraryGetKernel failed: CUDA_ERROR_NOT_FOUND (fake)");
  CHECK_THAT(image->find("tune", 300000).status().message(), Catch::Contains("asks for 300000 bytes of shared memory"));
  rt::GpuLaunch launch;
  launch.grid[0] = 6;
  launch.grid[1] = 5;
  launch.threads = 128;
  launch.clusterSize = 2;
  launch.sharedBytes = 100000;
  REQUIRE(device->launch(**function, launch, nullptr).ok());
  const FakeCudaLaunch &seen = driverLog().launches.back();
  CHECK(seen.kernel == "tune");
  CHECK((seen.grid[0] == 6 && seen.grid[1] == 5 && seen.grid[2] == 1));
  CHECK(seen.threads == 128);
  CHECK(seen.cluster == 2);
  CHECK(seen.shared == 100000);
}

TEST_CASE("tensor maps reach the driver as described", "[cuda]") {
  auto device = openDevice();
  auto memory = *rt::GpuMemory::allocate(device, 4096);
  rt::TensorMapDescription map;
  map.base = memory.data();
  map.dtype = DType::bf16;
  map.rank = 3;
  map.sizes = {64, 300, 8};
  map.strideBytes = {128, 40960};
  map.box = {64, 128, 1};
  map.swizzle = PlanTensorMap::Swizzle::bytes128;
  REQUIRE(device->encodeTensorMap(map).ok());
  const FakeCudaMap &seen = driverLog().maps.back();
  CHECK(seen.type == 9); // CU_TENSOR_MAP_DATA_TYPE_BFLOAT16
  CHECK(seen.swizzle == 3);
  CHECK(seen.sizes == std::vector<uint64_t>{64, 300, 8});
  CHECK(seen.strides == std::vector<uint64_t>{128, 40960});
  CHECK(seen.box == std::vector<uint32_t>{64, 128, 1});
  map.strideBytes[0] = 130;
  CHECK(device->encodeTensorMap(map).status().code() == Code::invalidArgument);
}

TEST_CASE("events time what lies between them", "[cuda]") {
  auto device = openDevice();
  auto memory = *rt::GpuMemory::allocate(device, 16);
  auto begin = *device->createEvent(), end = *device->createEvent();
  REQUIRE(device->record(begin, nullptr).ok());
  REQUIRE(device->fill(memory.data(), 0, 16, nullptr).ok());
  REQUIRE(device->record(end, nullptr).ok());
  CHECK(*device->elapsedMs(begin, end) == Approx(0.5));
  device->destroyEvent(begin);
  device->destroyEvent(end);
}

TEST_CASE("the default stream cannot be captured", "[cuda]") {
  CHECK(openDevice()->beginCapture(nullptr).code() == Code::launchFailed);
}
