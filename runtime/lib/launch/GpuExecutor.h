// GpuExecutor: queues a program's nodes on a stream.
#pragma once

#include "Frame.h"

#include "tercet/rt/GpuDevice.h"

#include <functional>

namespace tercet::rt {

/// What a launch on a GPU runs with. Borrowed for one call.
struct GpuExecution {
  const Program &program;
  const Plan &plan;
  std::span<const KernelInfo> kernels;
  std::span<const std::shared_ptr<const GpuFunction>> functions; ///< one per kernel
  GpuDevice &device;
  char *workspace; ///< device memory, at least frame.workspaceBytes
  GpuStream stream;
  /// Called before a node of another stage than the last is queued, and with the number of stages at the end; empty:
  /// nobody asks.
  std::function<Status(size_t stage)> stageBegins;
};

/// Queues everything and returns; waits for nothing, allocates no device memory, takes no lock. frame: its symbols change
/// while groups advance. Addresses and strides that box copies cannot take are invalidArgument before anything is queued.
Status enqueueProgram(const GpuExecution &execution, Frame &frame);

} // namespace tercet::rt
