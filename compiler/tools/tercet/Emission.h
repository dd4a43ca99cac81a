// Emission: a spec at one stage for one target, in one direction or in both.
#pragma once

#include "ScheduleOptions.h"

#include "tercet/Jit.h"

namespace tercet::cli {

struct Emission {
  struct File {
    std::string direction; ///< "forward" or "backward", where each has a file of its own; else empty
    std::string bytes;
  };
  struct Kernel {
    std::string direction; ///< empty without --grad
    KernelResources resources;
  };
  std::vector<File> files; ///< at least one
  bool isText = true;
  std::vector<Kernel> kernels;
  double compileMs = 0;
  std::vector<std::string> remarks;
};

/// As tercet::emit. grad: the forward that saves for a backward, and the backward: one artifact, or two files of another
/// stage; invalidArgument for the stage "tercet", which has no direction.
Result<Emission> emitStage(const Spec &spec, const Problem &problem, const std::string &stage, bool grad,
                           const ScheduleRequest &schedules = {});

} // namespace tercet::cli
