// SimulatedGpu: the PTX simulator as a device of the runtime. It executes the PTX that NVRTC emitted, checks every access,
// and counts; its times are the simulator's and say nothing about a GPU.
#pragma once

#include "tercet/rt/GpuDevice.h"
#include "tercet/sim/Launch.h"

namespace tercet::rt {

/// How launches are simulated: order, timing of asynchronous effects, checks. Grid, block and shared memory come with each
/// launch.
struct SimulationOptions {
  sim::LaunchConfig launch;
};

/// Everything that may differ between two correct runs, drawn from a seed: warps in random order and small turns, copies and
/// products that land as late as legal or anywhere before, sleeps after arrivals; and races looked for.
SimulationOptions adversarialSimulation(uint64_t seed);

/// The device "sim:sm_80" and so on. unsupportedTarget on another name. Work runs when it is queued; a violation is
/// launchFailed with the simulator's sentence. Thread-safe; one launch runs at a time.
Result<std::shared_ptr<GpuDevice>> openSimulatedGpu(const std::string &target, const SimulationOptions &options = {});

} // namespace tercet::rt
