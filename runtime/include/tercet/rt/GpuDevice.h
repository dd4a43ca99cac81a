// GpuDevice: what the runtime needs of a GPU, whether the CUDA driver or the PTX simulator stands behind it.
//
// Addresses are device addresses as pointers; only copies take host memory. Work is queued on streams and runs in order
// there; a null stream is the device's own default stream. Handles (streams, events, graphs) are the device's, opaque to
// others; an embedder's CUstream is a stream of the CUDA device. Thread-safe, except that one image or graph is destroyed
// by one thread after its last use.
#pragma once

#include "tercet/Plan.h"
#include "tercet/Status.h"

#include <array>
#include <memory>
#include <span>

namespace tercet::rt {

using GpuStream = void *;
using GpuEvent = void *;

struct GpuProperties {
  std::string target;       ///< how the command line names it: "cuda:0", "sim:sm_80"
  std::string name;         ///< as the driver gives it
  int major = 0, minor = 0; ///< compute capability
  std::string architecture; ///< what to compile for: "sm_90a" for 9.0, "sm_80" for 8.0
  int64_t multiprocessors = 0;
  int64_t l2Bytes = 0;
  int64_t sharedBytesPerBlock = 0; ///< the most a block may opt in to
  int64_t sharedBytesPerMultiprocessor = 0;
  int64_t memoryBytes = 0;
  double clockGHz = 0;    ///< 0 where unknown
  std::string driver;     ///< version of what runs the code: "CUDA driver 13.0", "PTX simulator"
  bool runsPtx = false;   ///< PTX is executed or compiled at load time
  bool runsCubin = false; ///< native code is executed
};

/// What a loaded kernel asks of its multiprocessor.
struct GpuKernelAttributes {
  int64_t registers = 0, staticSharedBytes = 0, localBytes = 0, mostThreads = 0;
};

/// A kernel of a loaded image. Lives as long as its image.
class GpuFunction {
public:
  virtual ~GpuFunction() = default;
  virtual const GpuKernelAttributes &attributes() const = 0;
};

/// Native code or PTX, loaded.
class GpuImage {
public:
  virtual ~GpuImage() = default;
  /// The extern "C" __global__ function of this name, made ready for launches with `dynamicSharedBytes` of dynamic shared
  /// memory. launchFailed when there is none or the device cannot grant that much.
  virtual Result<std::shared_ptr<const GpuFunction>> find(const std::string &name, int64_t dynamicSharedBytes) = 0;
};

/// One parameter of a __global__ function: its bytes, read during the call that takes it.
struct GpuParameter {
  const void *data = nullptr;
  size_t bytes = 0;
};

struct GpuLaunch {
  int64_t grid[3] = {1, 1, 1}; ///< blocks, each extent at least 1
  int64_t threads = 1;         ///< of a block
  int64_t clusterSize = 1;     ///< blocks of a cluster, along the grid's first axis
  int64_t sharedBytes = 0;     ///< dynamic
  std::span<const GpuParameter> parameters;
};

/// 128 bytes that a kernel takes as a const __grid_constant__ parameter.
struct alignas(64) TensorMapBytes {
  std::array<uint8_t, 128> bytes{};
};

/// PlanTensorMap with every size known. Innermost axis first; strides in bytes, of axes 1 and up.
struct TensorMapDescription {
  const void *base = nullptr;
  DType dtype = DType::bf16;
  int rank = 1;
  std::array<uint64_t, 5> sizes{};
  std::array<uint64_t, 4> strideBytes{};
  std::array<uint32_t, 5> box{};
  PlanTensorMap::Swizzle swizzle = PlanTensorMap::Swizzle::none;
};

/// Work recorded from a stream, to be queued again as one.
class GpuGraph {
public:
  virtual ~GpuGraph() = default;
  virtual Status launch(GpuStream stream) = 0;
};

/// What a device has counted since the last reset, by name ("instructions", "global_bytes_read", ..), per kernel.
/// Devices without counters return nothing.
struct GpuKernelCounts {
  std::string kernel;
  int64_t launches = 0;
  std::vector<std::pair<std::string, double>> counts;
};

class GpuDevice {
public:
  virtual ~GpuDevice() = default;
  virtual const GpuProperties &properties() const = 0;

  /// Device memory, aligned to 256 bytes at least. launchFailed when there is not enough.
  virtual Result<void *> allocate(size_t bytes) = 0;
  virtual void release(void *memory) = 0;
  /// Queued on the stream; host memory must stay until the stream has passed it.
  virtual Status copyToDevice(void *device, const void *host, size_t bytes, GpuStream stream) = 0;
  virtual Status copyToHost(void *host, const void *device, size_t bytes, GpuStream stream) = 0;
  virtual Status fill(void *device, uint8_t byte, size_t bytes, GpuStream stream) = 0;

  /// A cubin (ELF) or PTX text. launchFailed with the loader's reason.
  virtual Result<std::unique_ptr<GpuImage>> load(std::span<const uint8_t> image) = 0;
  virtual Status launch(const GpuFunction &function, const GpuLaunch &launch, GpuStream stream) = 0;
  /// Pure host work. invalidArgument when the device refuses the description.
  virtual Result<TensorMapBytes> encodeTensorMap(const TensorMapDescription &description) const = 0;

  virtual Result<GpuStream> createStream() = 0;
  virtual void destroyStream(GpuStream stream) = 0;
  /// Waits until everything queued has run. launchFailed with what went wrong on the device.
  virtual Status synchronize(GpuStream stream) = 0;

  virtual Result<GpuEvent> createEvent() = 0;
  virtual void destroyEvent(GpuEvent event) = 0;
  virtual Status record(GpuEvent event, GpuStream stream) = 0;
  /// Between two recorded events that the device has passed.
  virtual Result<double> elapsedMs(GpuEvent begin, GpuEvent end) = 0;

  /// From here on, work queued on `stream` is recorded and not run.
  virtual Status beginCapture(GpuStream stream) = 0;
  virtual Result<std::unique_ptr<GpuGraph>> endCapture(GpuStream stream) = 0;

  virtual std::vector<GpuKernelCounts> counts() const { return {}; }
  virtual void resetCounts() {}
};

/// Device memory that frees itself.
class GpuMemory {
public:
  GpuMemory() = default;
  static Result<GpuMemory> allocate(std::shared_ptr<GpuDevice> device, size_t bytes);
  GpuMemory(GpuMemory &&other) noexcept { swap(other); }
  GpuMemory &operator=(GpuMemory &&other) noexcept {
    swap(other);
    return *this;
  }
  ~GpuMemory();
  void *data() const { return memory; }
  size_t size() const { return bytes; }

private:
  void swap(GpuMemory &other) noexcept {
    std::swap(device, other.device);
    std::swap(memory, other.memory);
    std::swap(bytes, other.bytes);
  }
  std::shared_ptr<GpuDevice> device;
  void *memory = nullptr;
  size_t bytes = 0;
};

/// The architecture to compile for on a device of this compute capability: "sm_90a" for 9.0 (warpgroup products), else
/// "sm_<major><minor>".
std::string architectureOf(int major, int minor);

} // namespace tercet::rt
