// A kernel with dynamic shared memory, one tensor map, and an input and an output of any size: for tests of asynchronous copies,
// mbarriers, products of warpgroups and clusters.
#pragma once

#include "tercet/sim/Launch.h"
#include "tercet/sim/TensorMap.h"

#include <fmt/format.h>

#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tercet::test {

/// The body finds %rd0 = in, %rd1 = out, %rd2 = address of the tensor map, %r0 = %tid.x, %r1 = address of shared memory,
/// %r2 = rank in the cluster; %p, %h, %r, %f, %rd are its registers.
inline std::string asyncKernel(std::string_view body) {
  return fmt::format(
      ".version 8.7\n.target sm_90a\n.address_size 64\n.extern .shared .align 1024 .b8 memory[];\n"
      ".visible .entry k(.param .align 64 .b8 map[128], .param .u64 in, .param .u64 out)\n"
      "{{\n.reg .pred %p<16>; .reg .b16 %h<16>; .reg .b32 %r<300>; .reg .f32 %f<300>; .reg .b64 %rd<64>;\n"
      "ld.param.u64 %rd0, [in]; ld.param.u64 %rd1, [out]; mov.b64 %rd2, map; cvta.param.u64 %rd2, %rd2;\n"
      "mov.u32 %r0, %tid.x; mov.u32 %r1, memory; mov.u32 %r2, %cluster_ctarank;\n{}\nret;\n}}\n",
      body);
}

/// Initialises the mbarrier at shared address `at` for `count` arrivals by thread 0, for all threads of the CTA.
inline std::string makeBarrier(uint32_t at, uint32_t count) {
  return fmt::format("setp.eq.u32 %p15, %r0, 0; @%p15 mbarrier.init.shared::cta.b64 [%r1+{}], {};\n"
                     "fence.mbarrier_init.release.cluster; bar.sync 0;\n",
                     at, count);
}

/// Waits until the phase of this parity is over. `label` is unique in the kernel.
inline std::string waitFor(uint32_t at, uint32_t parity, std::string_view label) {
  return fmt::format("{2}: mbarrier.try_wait.parity.shared::cta.b64 %p14, [%r1+{0}], {1}; @!%p14 bra {2};\n", at,
                     parity, label);
}

struct AsyncRun {
  Status status;
  sim::LaunchReport report;
  std::vector<std::byte> out;
  std::string message() const { return status.ok() ? "ok" : status.message(); }
  template <typename T> T at(size_t index) const {
    T value;
    std::memcpy(&value, out.data() + index * sizeof(T), sizeof(T));
    return value;
  }
};

struct AsyncCase {
  std::string body;
  std::vector<std::byte> in;
  size_t outBytes = 0;
  std::byte outStart{0xff};          ///< what the output is filled with before the launch
  std::optional<sim::TensorMap> map; ///< its base is set
  bool mapOfOut = false;             ///< the map is of the output, else of the input
  sim::LaunchConfig config;

  template <typename T> void setIn(const std::vector<T> &values) {
    auto bytes = std::as_bytes(std::span(values));
    in.assign(bytes.begin(), bytes.end());
  }
};

inline AsyncRun run(const AsyncCase &given) {
  AsyncRun result;
  auto module = sim::Module::parse(asyncKernel(given.body));
  if (!module.ok()) {
    result.status = module.takeStatus();
    return result;
  }
  std::vector<std::byte> in = given.in;
  result.out.assign(given.outBytes, given.outStart);
  sim::Memory memory;
  uint64_t inAddress = memory.adopt(in, "in"), outAddress = memory.adopt(result.out, "out");
  std::vector<std::byte> parameters(144);
  if (given.map) {
    sim::TensorMap map = *given.map;
    map.base = given.mapOfOut ? outAddress : inAddress;
    auto encoded = map.encode();
    if (!encoded.ok()) {
      result.status = encoded.takeStatus();
      return result;
    }
    std::memcpy(parameters.data(), encoded->data(), encoded->size());
  }
  std::memcpy(parameters.data() + 128, &inAddress, 8);
  std::memcpy(parameters.data() + 136, &outAddress, 8);
  sim::LaunchConfig config = given.config;
  if (!config.dynamicShared)
    config.dynamicShared = 65536;
  auto report = sim::launch(*module, "k", config, parameters, memory);
  if (report.ok())
    result.report = *report;
  else
    result.status = report.takeStatus();
  return result;
}

/// The ways in which asynchronous effects and warps may be ordered: results must not depend on them.
inline std::vector<sim::LaunchConfig> adversarialModes(sim::LaunchConfig base) {
  std::vector<sim::LaunchConfig> modes;
  for (sim::Landing landing : {sim::Landing::atIssue, sim::Landing::seeded, sim::Landing::latest})
    for (uint32_t quantum : {0u, 3u}) {
      sim::LaunchConfig config = base;
      config.landing = landing;
      config.quantum = quantum;
      config.order = quantum ? sim::WarpOrder::seeded : sim::WarpOrder::ascending;
      config.sleepAfterArrival = quantum;
      config.checks.races = quantum != 0;
      config.seed = modes.size();
      modes.push_back(config);
    }
  return modes;
}

} // namespace tercet::test
