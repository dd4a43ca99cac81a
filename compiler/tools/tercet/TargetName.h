// TargetName: the value of --target, told apart into what runs here, what can only be compiled, and what does not
// exist.
#pragma once

#include "tercet/Status.h"

#include <string>
#include <vector>

namespace tercet::cli {

struct TargetName {
  enum class Kind { reference, cpu, gpuArchitecture, cudaDevice, simulator };
  Kind kind = Kind::cpu;
  std::string text; ///< as written, such as "cpu:v4"
  /// A device with memory of its own, real or simulated.
  bool isGpu() const { return kind == Kind::cudaDevice || kind == Kind::simulator; }
};

/// unsupportedTarget with a suggestion on a name that no target has.
Result<TargetName> parseTarget(const std::string &text);
/// Names separated by commas, none twice.
Result<std::vector<TargetName>> parseTargets(const std::string &text);

/// Whether this build and this machine execute on the target: reference, the CPU levels that the processor has, GPUs that
/// the driver shows, and the simulator. unsupportedTarget or deviceUnavailable with the reason.
Status checkRunsHere(const TargetName &target);

} // namespace tercet::cli
