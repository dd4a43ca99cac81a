#include "SimulationCounts.h"

namespace tercet::rt {
namespace {

void add(sim::SharedTraffic &sum, const sim::SharedTraffic &traffic) {
  sum.bytes += traffic.bytes;
  sum.wavefronts += traffic.wavefronts;
  sum.ideal += traffic.ideal;
}

} // namespace

void SimulationCounts::add(const std::string &kernel, const sim::LaunchReport &report) {
  Sum &sum = sums[kernel];
  ++sum.launches;
  sim::LaunchReport &all = sum.report;
  for (const auto &[kind, count] : report.instructions)
    all.instructions[kind] += count;
  all.totalInstructions += report.totalInstructions;
  all.warps += report.warps;
  all.globalLoadBytes += report.globalLoadBytes;
  all.globalStoreBytes += report.globalStoreBytes;
  all.globalLoadSectors += report.globalLoadSectors;
  all.globalStoreSectors += report.globalStoreSectors;
  rt::add(all.sharedLoad, report.sharedLoad);
  rt::add(all.sharedStore, report.sharedStore);
  rt::add(all.sharedMatrix, report.sharedMatrix);
  all.asyncBytes += report.asyncBytes;
  all.matrixFlops += report.matrixFlops;
  all.barriers += report.barriers;
}

std::vector<GpuKernelCounts> SimulationCounts::list() const {
  std::vector<GpuKernelCounts> list;
  for (const auto &[name, sum] : sums) {
    const sim::LaunchReport &all = sum.report;
    uint64_t wavefronts = 0, ideal = 0, sharedBytes = 0;
    for (const sim::SharedTraffic *traffic : {&all.sharedLoad, &all.sharedStore, &all.sharedMatrix}) {
      wavefronts += traffic->wavefronts;
      ideal += traffic->ideal;
      sharedBytes += traffic->bytes;
    }
    auto number = [](uint64_t value) { return static_cast<double>(value); };
    list.push_back({name,
                    sum.launches,
                    {{"instructions", number(all.totalInstructions)},
                     {"warps", number(all.warps)},
                     {"instructions_per_warp", all.instructionsPerWarp()},
                     {"global_load_bytes", number(all.globalLoadBytes)},
                     {"global_store_bytes", number(all.globalStoreBytes)},
                     {"global_load_sectors", number(all.globalLoadSectors)},
                     {"global_store_sectors", number(all.globalStoreSectors)},
                     {"async_bytes", number(all.asyncBytes)},
                     {"shared_bytes", number(sharedBytes)},
                     {"shared_wavefronts", number(wavefronts)},
                     {"bank_conflicts", number(wavefronts - ideal)},
                     {"matrix_flop", number(all.matrixFlops)},
                     {"barriers", number(all.barriers)}}});
  }
  return list;
}

} // namespace tercet::rt
