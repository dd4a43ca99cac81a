// DeviceRun: a kernel written over the device library, compiled by NVRTC for sm_80 and run in the simulator on arrays.
#pragma once

#include "tercet/compiler/cuda/Nvrtc.h"
#include "tercet/sim/Launch.h"

#include <catch2/catch.hpp>

#include <cstring>
#include <string>
#include <vector>

namespace tercet::test {

class DeviceRun {
public:
  /// text: the kernel `k`, which takes pointers and 64-bit integers in the order in which they are added.
  explicit DeviceRun(const std::string &text) {
    auto nvrtc = compiler::Nvrtc::get();
    auto output = (*nvrtc)->compile("k", text, "sm_80", /*ptxOnly=*/true);
    INFO((output.ok() ? "" : output.status().message() + output.status().notes()[0].second));
    REQUIRE(output.ok());
    auto parsed = sim::Module::parse(output->ptx);
    INFO((parsed.ok() ? "" : parsed.status().message()));
    REQUIRE(parsed.ok());
    module.emplace(std::move(*parsed));
  }

  /// Arrays stay the caller's, and hold what the kernel wrote.
  template <class Element> DeviceRun &add(std::vector<Element> &array) {
    return add(static_cast<int64_t>(memory.adopt(std::as_writable_bytes(std::span(array)), "array")));
  }
  DeviceRun &add(int64_t value) {
    parameters.push_back(value);
    return *this;
  }

  sim::LaunchReport run(sim::LaunchConfig config) {
    auto report = sim::launch(*module, "k", config, std::as_bytes(std::span(parameters)), memory);
    INFO((report.ok() ? "" : report.status().message()));
    REQUIRE(report.ok());
    parameters.clear();
    return *report;
  }

  /// A launch with everything on that makes trouble.
  static sim::LaunchConfig adversarial(uint32_t blocks, uint32_t threads, uint32_t shared, uint64_t seed) {
    sim::LaunchConfig config;
    config.grid = {blocks, 1, 1};
    config.block = {threads, 1, 1};
    config.dynamicShared = shared;
    config.order = sim::WarpOrder::seeded;
    config.landing = sim::Landing::latest;
    config.quantum = 7;
    config.seed = seed;
    config.checks.races = true;
    return config;
  }

private:
  std::optional<sim::Module> module;
  sim::Memory memory;
  std::vector<int64_t> parameters;
};

} // namespace tercet::test
