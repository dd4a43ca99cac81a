// A launch: checked as a driver would, then spread over host threads by cluster.
#include "tercet/sim/Launch.h"

#include "core/Cta.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

namespace tercet::sim {

namespace {

constexpr uint64_t mostShared = 227 * 1024;
constexpr uint64_t mostThreads = 1024;

uint64_t product(const std::array<uint32_t, 3> &sizes) { return uint64_t{sizes[0]} * sizes[1] * sizes[2]; }

Status checkLaunch(const KernelInfo &info, const LaunchConfig &config, size_t parameterBytes) {
  auto shape = [](const std::array<uint32_t, 3> &s) { return fmt::format("({}, {}, {})", s[0], s[1], s[2]); };
  if (!product(config.grid) || !product(config.block) || !product(config.cluster))
    return Status::make(Code::invalidArgument, "kernel {} is launched with an empty grid {}, block {} or cluster {}",
                        info.name, shape(config.grid), shape(config.block), shape(config.cluster));
  if (config.grid[1] > 65535 || config.grid[2] > 65535 || config.grid[0] > 0x7fffffffu)
    return Status::make(Code::invalidArgument, "kernel {} is launched with grid {}; y and z go up to 65535", info.name,
                        shape(config.grid));
  for (uint32_t size : config.block)
    if (size > mostThreads || product(config.block) > mostThreads)
      return Status::make(Code::invalidArgument, "kernel {} is launched with block {}; a CTA has at most {} threads",
                          info.name, shape(config.block), mostThreads);
  if (info.maxThreads[0] && product(config.block) > product(info.maxThreads))
    return Status::make(Code::invalidArgument,
                        "kernel {} is launched with block {}; it was compiled for at most {} threads", info.name,
                        shape(config.block), product(info.maxThreads));
  if (info.requiredThreads[0] && config.block != info.requiredThreads)
    return Status::make(Code::invalidArgument, "kernel {} is launched with block {}; it needs {}", info.name,
                        shape(config.block), shape(info.requiredThreads));
  if (info.requiredCluster[0] && config.cluster != info.requiredCluster)
    return Status::make(Code::invalidArgument, "kernel {} is launched with cluster {}; it needs {}", info.name,
                        shape(config.cluster), shape(info.requiredCluster));
  for (int axis = 0; axis < 3; ++axis)
    if (config.cluster[axis] > 16 || config.grid[axis] % config.cluster[axis])
      return Status::make(Code::invalidArgument, "kernel {} is launched with grid {}, which is not made of clusters {}",
                          info.name, shape(config.grid), shape(config.cluster));
  if (product(config.cluster) > 16)
    return Status::make(Code::invalidArgument, "kernel {} is launched with clusters {}; a cluster has at most 16 CTAs",
                        info.name, shape(config.cluster));
  if (uint64_t{info.staticSharedBytes} + config.dynamicShared > mostShared)
    return Status::make(Code::invalidArgument,
                        "kernel {} takes {} static and {} dynamic bytes of shared memory; there are {}", info.name,
                        info.staticSharedBytes, config.dynamicShared, mostShared);
  if (parameterBytes != info.parameterBytes)
    return Status::make(Code::invalidArgument, "kernel {} takes {} bytes of parameters, not {}", info.name,
                        info.parameterBytes, parameterBytes);
  return {};
}

// Clusters are handed out in order, so the first violation by number is found whatever the number of threads.
class Pool {
public:
  Pool(LaunchContext &context, uint64_t clusters) : context(context), clusters(clusters) {}

  void work(Counters &counters) {
    Cluster cluster(context, counters);
    for (;;) {
      uint64_t number = next.fetch_add(1);
      if (number >= clusters || number > failedAt.load())
        return;
      try {
        cluster.run(number);
      } catch (Violation &violation) {
        std::lock_guard lock(mutex);
        if (number < failedAt.load()) {
          failedAt = number;
          first = std::move(violation);
        }
        return;
      }
    }
  }

  bool failed() const { return failedAt.load() != UINT64_MAX; }
  Violation first;

private:
  LaunchContext &context;
  uint64_t clusters;
  std::atomic<uint64_t> next{0};
  std::atomic<uint64_t> failedAt{UINT64_MAX};
  std::mutex mutex;
};

void add(SharedTraffic &sum, const SharedTraffic &part) {
  sum.bytes += part.bytes;
  sum.wavefronts += part.wavefronts;
  sum.ideal += part.ideal;
}

LaunchReport summarise(const Program &program, const Kernel &kernel, const std::vector<Counters> &parts) {
  LaunchReport sum;
  for (const Counters &part : parts) {
    for (size_t pc = 0; pc < kernel.code.size(); ++pc) {
      if (!part.executed[pc])
        continue;
      const Instruction &in = kernel.code[pc];
      sum.instructions[program.kinds[in.kind]] += part.executed[pc];
      sum.totalInstructions += part.executed[pc];
      sum.matrixFlops += part.executed[pc] * in.flops;
    }
    const LaunchReport &report = part.report;
    sum.warps += report.warps;
    sum.globalLoadBytes += report.globalLoadBytes;
    sum.globalStoreBytes += report.globalStoreBytes;
    sum.globalLoadSectors += report.globalLoadSectors;
    sum.globalStoreSectors += report.globalStoreSectors;
    sum.asyncBytes += report.asyncBytes;
    sum.barriers += report.barriers;
    add(sum.sharedLoad, report.sharedLoad);
    add(sum.sharedStore, report.sharedStore);
    add(sum.sharedMatrix, report.sharedMatrix);
  }
  return sum;
}

} // namespace

Result<LaunchReport> launch(const Module &module, std::string_view kernelName, const LaunchConfig &config,
                            std::span<const std::byte> parameters, Memory &memory) {
  const Program &program = module.program();
  auto kernel = std::find_if(program.kernels.begin(), program.kernels.end(),
                             [&](const Kernel &k) { return k.info.name == kernelName; });
  if (kernel == program.kernels.end())
    return Status::make(Code::invalidArgument, "the module has no kernel {}", kernelName);
  TERCET_RETURN_IF_ERROR(checkLaunch(kernel->info, config, parameters.size()));

  LaunchContext context{program, *kernel, config, parameters, memory, program.moduleImage};
  uint64_t clusters = product(config.grid) / product(config.cluster);
  uint64_t threads = config.hostThreads ? config.hostThreads : std::max(1u, std::thread::hardware_concurrency());
  threads = kernel->needsOrder ? 1 : std::min(threads, clusters);
  std::vector<Counters> counters(threads);
  for (Counters &part : counters)
    part.executed.assign(kernel->code.size(), 0);

  Pool pool(context, clusters);
  std::vector<std::thread> helpers;
  for (size_t i = 1; i < threads; ++i)
    helpers.emplace_back([&pool, &counters, i] { pool.work(counters[i]); });
  pool.work(counters[0]);
  for (std::thread &helper : helpers)
    helper.join();
  if (pool.failed())
    return Status::make(Code::launchFailed, "{}", pool.first.sentence).note("instruction", pool.first.instruction);
  return summarise(program, *kernel, counters);
}

} // namespace tercet::sim
