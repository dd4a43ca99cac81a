// One GPU behind the driver. Every call makes the primary context current for its own length; none takes a lock.
#include "CudaImage.h"
#include "CudaTensorMap.h"

#include "tercet/rt/CudaDriver.h"

#include <map>
#include <mutex>

namespace tercet::rt {
namespace {

using namespace cuda;

CuAddress addressOf(const void *memory) { return reinterpret_cast<CuAddress>(memory); }
CuStream streamOf(GpuStream stream) { return static_cast<CuStream>(stream); }

class CudaGraph final : public GpuGraph {
public:
  CudaGraph(std::shared_ptr<const CudaContext> context, CuGraphExec graph)
      : context(std::move(context)), graph(graph) {}
  ~CudaGraph() override {
    CurrentContext current(*context);
    context->api.destroyGraphExec(graph);
  }
  Status launch(GpuStream stream) override {
    CurrentContext current(*context);
    return context->api.check(context->api.launchGraph(graph, streamOf(stream)), "cuGraphLaunch");
  }

private:
  std::shared_ptr<const CudaContext> context;
  CuGraphExec graph;
};

class CudaDevice final : public GpuDevice {
public:
  CudaDevice(std::shared_ptr<const CudaContext> context, GpuProperties properties)
      : context(std::move(context)), api(this->context->api), known(std::move(properties)) {}

  const GpuProperties &properties() const override { return known; }

  Result<void *> allocate(size_t bytes) override {
    CurrentContext current(*context);
    CuAddress address = 0;
    CuResult result = api.allocate(&address, std::max<size_t>(bytes, 1));
    if (result != 0)
      return Status::make(Code::launchFailed, "{} cannot give {} bytes of memory: {}", known.target, bytes,
                          api.describe(result));
    return reinterpret_cast<void *>(address);
  }
  void release(void *memory) override {
    CurrentContext current(*context);
    api.release(addressOf(memory));
  }
  Status copyToDevice(void *device, const void *host, size_t bytes, GpuStream stream) override {
    CurrentContext current(*context);
    return api.check(api.copyToDevice(addressOf(device), host, bytes, streamOf(stream)), "cuMemcpyHtoDAsync");
  }
  Status copyToHost(void *host, const void *device, size_t bytes, GpuStream stream) override {
    CurrentContext current(*context);
    return api.check(api.copyToHost(host, addressOf(device), bytes, streamOf(stream)), "cuMemcpyDtoHAsync");
  }
  Status fill(void *device, uint8_t byte, size_t bytes, GpuStream stream) override {
    CurrentContext current(*context);
    return api.check(api.fill(addressOf(device), byte, bytes, streamOf(stream)), "cuMemsetD8Async");
  }

  Result<std::unique_ptr<GpuImage>> load(std::span<const uint8_t> image) override {
    return CudaImage::load(context, image);
  }

  Status launch(const GpuFunction &function, const GpuLaunch &launch, GpuStream stream) override {
    constexpr size_t mostParameters = 256;
    void *parameters[mostParameters];
    if (launch.parameters.size() > mostParameters)
      return Status::make(Code::internal, "a launch with {} parameters; at most {} are passed",
                          launch.parameters.size(), mostParameters);
    for (size_t index = 0; index < launch.parameters.size(); ++index)
      parameters[index] = const_cast<void *>(launch.parameters[index].data);
    LaunchAttribute cluster{};
    cluster.id = launchAttributeClusterDimension;
    cluster.value.cluster = {static_cast<unsigned>(launch.clusterSize), 1, 1};
    LaunchConfig config{static_cast<unsigned>(launch.grid[0]),
                        static_cast<unsigned>(launch.grid[1]),
                        static_cast<unsigned>(launch.grid[2]),
                        static_cast<unsigned>(launch.threads),
                        1,
                        1,
                        static_cast<unsigned>(launch.sharedBytes),
                        streamOf(stream),
                        &cluster,
                        launch.clusterSize > 1 ? 1u : 0u};
    CurrentContext current(*context);
    return api.check(api.launch(&config, static_cast<const CudaFunction &>(function).kernel, parameters, nullptr),
                     "cuLaunchKernelEx");
  }

  Result<TensorMapBytes> encodeTensorMap(const TensorMapDescription &description) const override {
    return cuda::encodeTensorMap(api, description);
  }

  Result<GpuStream> createStream() override {
    CurrentContext current(*context);
    CuStream stream = nullptr;
    TERCET_RETURN_IF_ERROR(api.check(api.createStream(&stream, streamNonBlocking), "cuStreamCreate"));
    return static_cast<GpuStream>(stream);
  }
  void destroyStream(GpuStream stream) override {
    CurrentContext current(*context);
    api.destroyStream(streamOf(stream));
  }
  Status synchronize(GpuStream stream) override {
    CurrentContext current(*context);
    return api.check(api.synchronize(streamOf(stream)), "cuStreamSynchronize");
  }

  Result<GpuEvent> createEvent() override {
    CurrentContext current(*context);
    CuEvent event = nullptr;
    TERCET_RETURN_IF_ERROR(api.check(api.createEvent(&event, 0), "cuEventCreate"));
    return static_cast<GpuEvent>(event);
  }
  void destroyEvent(GpuEvent event) override {
    CurrentContext current(*context);
    api.destroyEvent(static_cast<CuEvent>(event));
  }
  Status record(GpuEvent event, GpuStream stream) override {
    CurrentContext current(*context);
    return api.check(api.record(static_cast<CuEvent>(event), streamOf(stream)), "cuEventRecord");
  }
  Result<double> elapsedMs(GpuEvent begin, GpuEvent end) override {
    CurrentContext current(*context);
    float ms = 0;
    TERCET_RETURN_IF_ERROR(
        api.check(api.elapsed(&ms, static_cast<CuEvent>(begin), static_cast<CuEvent>(end)), "cuEventElapsedTime"));
    return static_cast<double>(ms);
  }

  Status beginCapture(GpuStream stream) override {
    CurrentContext current(*context);
    return api.check(api.beginCapture(streamOf(stream), captureModeThreadLocal), "cuStreamBeginCapture");
  }
  Result<std::unique_ptr<GpuGraph>> endCapture(GpuStream stream) override {
    CurrentContext current(*context);
    CuGraph graph = nullptr;
    TERCET_RETURN_IF_ERROR(api.check(api.endCapture(streamOf(stream), &graph), "cuStreamEndCapture"));
    CuGraphExec executable = nullptr;
    CuResult result = api.instantiate(&executable, graph, 0);
    api.destroyGraph(graph);
    TERCET_RETURN_IF_ERROR(api.check(result, "cuGraphInstantiate"));
    return std::unique_ptr<GpuGraph>(std::make_unique<CudaGraph>(context, executable));
  }

private:
  std::shared_ptr<const CudaContext> context;
  const CudaApi &api;
  GpuProperties known;
};

Result<GpuProperties> propertiesOf(const CudaApi &api, CuDevice device, int index) {
  GpuProperties properties;
  properties.target = fmt::format("cuda:{}", index);
  char name[256] = "";
  TERCET_RETURN_IF_ERROR(
      api.check(api.deviceName(name, sizeof name, device), "cuDeviceGetName", Code::deviceUnavailable));
  properties.name = name;
  Status failed;
  auto attribute = [&](DeviceAttribute which) {
    int value = 0;
    if (Status status =
            api.check(api.deviceAttribute(&value, which, device), "cuDeviceGetAttribute", Code::deviceUnavailable);
        !status.ok())
      failed = std::move(status);
    return value;
  };
  properties.major = attribute(computeCapabilityMajor);
  properties.minor = attribute(computeCapabilityMinor);
  properties.architecture = architectureOf(properties.major, properties.minor);
  properties.multiprocessors = attribute(multiprocessorCount);
  properties.l2Bytes = attribute(l2CacheSize);
  properties.sharedBytesPerBlock = attribute(maxSharedMemoryPerBlockOptin);
  properties.sharedBytesPerMultiprocessor = attribute(maxSharedMemoryPerMultiprocessor);
  properties.clockGHz = attribute(clockRate) / 1e6; // from kHz
  TERCET_RETURN_IF_ERROR(std::move(failed));
  size_t memory = 0;
  TERCET_RETURN_IF_ERROR(api.check(api.deviceMemory(&memory, device), "cuDeviceTotalMem", Code::deviceUnavailable));
  properties.memoryBytes = static_cast<int64_t>(memory);
  int version = 0;
  TERCET_RETURN_IF_ERROR(api.check(api.driverVersion(&version), "cuDriverGetVersion", Code::deviceUnavailable));
  properties.driver = fmt::format("CUDA driver {}.{}", version / 1000, version % 1000 / 10);
  properties.runsPtx = properties.runsCubin = true;
  return properties;
}

Result<std::shared_ptr<GpuDevice>> open(const CudaApi &api, int index) {
  CuDevice device = 0;
  TERCET_RETURN_IF_ERROR(api.check(api.device(&device, index), "cuDeviceGet", Code::deviceUnavailable));
  TERCET_TRY(GpuProperties properties, propertiesOf(api, device, index));
  CuContext context = nullptr;
  TERCET_RETURN_IF_ERROR(
      api.check(api.retainContext(&context, device), "cuDevicePrimaryCtxRetain", Code::deviceUnavailable));
  return std::shared_ptr<GpuDevice>(
      std::make_shared<CudaDevice>(std::make_shared<const CudaContext>(api, device, context), std::move(properties)));
}

} // namespace

Result<int> countCudaDevices() {
  TERCET_TRY(const CudaApi *api, CudaApi::get());
  int count = 0;
  TERCET_RETURN_IF_ERROR(api->check(api->deviceCount(&count), "cuDeviceGetCount", Code::deviceUnavailable));
  return count;
}

Result<std::shared_ptr<GpuDevice>> openCudaDevice(int index) {
  static std::mutex mutex;
  static std::map<int, std::weak_ptr<GpuDevice>> devices;
  TERCET_TRY(int count, countCudaDevices());
  if (index < 0 || index >= count)
    return Status::make(Code::deviceUnavailable, "there is no GPU {}; the driver shows {}", index, count);
  TERCET_TRY(const CudaApi *api, CudaApi::get());
  std::lock_guard lock(mutex);
  if (std::shared_ptr<GpuDevice> device = devices[index].lock())
    return device;
  TERCET_TRY(std::shared_ptr<GpuDevice> device, open(*api, index));
  devices[index] = device;
  return device;
}

} // namespace tercet::rt
