// Streams run their work at once, or record it while they are captured; a graph is the recorded work. Device memory is the
// simulator's, whose addresses are its own and never host addresses.
#include "tercet/rt/SimulatedGpu.h"

#include "SimulatedArchitecture.h"
#include "SimulatedImage.h"
#include "SimulatedTensorMap.h"
#include "SimulationCounts.h"

#include <chrono>
#include <functional>
#include <mutex>

namespace tercet::rt {
namespace {

using Clock = std::chrono::steady_clock;
using Work = std::function<Status()>;

struct Stream {
  bool capturing = false;
  std::vector<Work> recorded;
};

struct Event {
  Clock::time_point at;
};

uint64_t addressOf(const void *memory) { return reinterpret_cast<uint64_t>(memory); }

class SimulatedGpu final : public GpuDevice {
public:
  SimulatedGpu(GpuProperties properties, const SimulationOptions &options)
      : known(std::move(properties)), options(options) {}

  const GpuProperties &properties() const override { return known; }

  Result<void *> allocate(size_t bytes) override {
    std::lock_guard lock(mutex);
    return reinterpret_cast<void *>(memory.allocate(std::max<size_t>(bytes, 1)));
  }
  void release(void *address) override {
    std::lock_guard lock(mutex);
    Status freed = memory.free(addressOf(address));
    TERCET_CHECK(freed.ok(), "only what allocate gave is released");
  }
  Status copyToDevice(void *device, const void *host, size_t bytes, GpuStream stream) override {
    return queue(stream, [this, device, host, bytes] {
      return memory.write(addressOf(device), {static_cast<const std::byte *>(host), bytes});
    });
  }
  Status copyToHost(void *host, const void *device, size_t bytes, GpuStream stream) override {
    return queue(stream, [this, host, device, bytes] {
      return memory.read(addressOf(device), {static_cast<std::byte *>(host), bytes});
    });
  }
  Status fill(void *device, uint8_t byte, size_t bytes, GpuStream stream) override {
    return queue(stream, [this, device, byte, bytes] {
      std::vector<std::byte> pattern(bytes, std::byte(byte));
      return memory.write(addressOf(device), pattern);
    });
  }

  Result<std::unique_ptr<GpuImage>> load(std::span<const uint8_t> image) override {
    Result<sim::Module> module = sim::Module::parse({reinterpret_cast<const char *>(image.data()), image.size()});
    if (!module.ok())
      return Status::make(Code::launchFailed, "the simulator does not take the PTX: {}", module.status().message());
    return std::unique_ptr<GpuImage>(std::make_unique<SimulatedImage>(*std::move(module), known.sharedBytesPerBlock));
  }

  Status launch(const GpuFunction &function, const GpuLaunch &launch, GpuStream stream) override {
    const auto &kernel = static_cast<const SimulatedFunction &>(function);
    TERCET_TRY(std::vector<std::byte> parameters, kernel.pack(launch.parameters));
    sim::LaunchConfig config = options.launch;
    for (size_t axis = 0; axis < config.grid.size(); ++axis)
      config.grid[axis] = static_cast<uint32_t>(launch.grid[axis]);
    config.block = {static_cast<uint32_t>(launch.threads), 1, 1};
    config.cluster = {static_cast<uint32_t>(launch.clusterSize), 1, 1};
    config.dynamicShared = static_cast<uint32_t>(launch.sharedBytes);
    return queue(stream, [this, &kernel, config, parameters = std::move(parameters)]() -> Status {
      TERCET_TRY(sim::LaunchReport report, sim::launch(kernel.module, kernel.info.name, config, parameters, memory));
      sums.add(kernel.info.name, report);
      return {};
    });
  }

  Result<TensorMapBytes> encodeTensorMap(const TensorMapDescription &description) const override {
    if (known.major < 9)
      return Status::make(Code::unsupportedTarget, "'{}' has no tensor maps", known.target);
    return encodeSimulatedTensorMap(description);
  }

  Result<GpuStream> createStream() override { return static_cast<GpuStream>(new Stream); }
  void destroyStream(GpuStream stream) override { delete static_cast<Stream *>(stream); }
  Status synchronize(GpuStream) override { return {}; } // everything has run when it was queued

  Result<GpuEvent> createEvent() override { return static_cast<GpuEvent>(new Event); }
  void destroyEvent(GpuEvent event) override { delete static_cast<Event *>(event); }
  Status record(GpuEvent event, GpuStream stream) override {
    return queue(stream, [event] {
      static_cast<Event *>(event)->at = Clock::now();
      return Status();
    });
  }
  Result<double> elapsedMs(GpuEvent begin, GpuEvent end) override {
    return std::chrono::duration<double, std::milli>(static_cast<Event *>(end)->at - static_cast<Event *>(begin)->at)
        .count();
  }

  Status beginCapture(GpuStream stream) override {
    auto *own = static_cast<Stream *>(stream);
    if (!own || own->capturing)
      return Status::make(Code::launchFailed, "a capture needs a stream of its own that is not captured already");
    own->capturing = true;
    return {};
  }
  Result<std::unique_ptr<GpuGraph>> endCapture(GpuStream stream) override;

  std::vector<GpuKernelCounts> counts() const override {
    std::lock_guard lock(mutex);
    return sums.list();
  }
  void resetCounts() override {
    std::lock_guard lock(mutex);
    sums.clear();
  }

  Status queue(GpuStream stream, Work work) {
    auto *own = static_cast<Stream *>(stream);
    if (own && own->capturing) {
      own->recorded.push_back(std::move(work));
      return {};
    }
    std::lock_guard lock(mutex);
    return work();
  }

private:
  GpuProperties known;
  SimulationOptions options;
  mutable std::mutex mutex; ///< of memory and sums
  sim::Memory memory;
  SimulationCounts sums;
};

class SimulatedGraph final : public GpuGraph {
public:
  SimulatedGraph(SimulatedGpu &device, std::vector<Work> work) : device(device), work(std::move(work)) {}
  Status launch(GpuStream stream) override {
    for (const Work &each : work)
      TERCET_RETURN_IF_ERROR(device.queue(stream, each));
    return {};
  }

private:
  SimulatedGpu &device;
  std::vector<Work> work;
};

Result<std::unique_ptr<GpuGraph>> SimulatedGpu::endCapture(GpuStream stream) {
  auto *own = static_cast<Stream *>(stream);
  if (!own || !own->capturing)
    return Status::make(Code::launchFailed, "the stream is not being captured");
  own->capturing = false;
  return std::unique_ptr<GpuGraph>(std::make_unique<SimulatedGraph>(*this, std::exchange(own->recorded, {})));
}

} // namespace

SimulationOptions adversarialSimulation(uint64_t seed) {
  SimulationOptions options;
  options.launch.seed = seed;
  options.launch.quantum = 16; // a few instructions per turn: warps meet in every order
  options.launch.order = sim::WarpOrder::seeded;
  options.launch.landing = seed % 2 ? sim::Landing::latest : sim::Landing::seeded;
  options.launch.sleepAfterArrival = 20;
  options.launch.checks.races = true;
  return options;
}

Result<std::shared_ptr<GpuDevice>> openSimulatedGpu(const std::string &target, const SimulationOptions &options) {
  TERCET_TRY(GpuProperties properties, simulatedProperties(target));
  return std::shared_ptr<GpuDevice>(std::make_shared<SimulatedGpu>(std::move(properties), options));
}

} // namespace tercet::rt
