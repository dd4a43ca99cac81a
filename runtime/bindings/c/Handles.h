// Handles: what stands behind the opaque pointers of the C interface.
#pragma once

#include "Background.h"

#include "tercet/Session.h"
#include "tercet/tercet.h"

#include <string>
#include <vector>

struct tercet_session {
  std::unique_ptr<tercet::Session> session;
  tercet::c::Background background = {}; ///< ends before the session does
};

struct tercet_artifact {
  tercet::Artifact artifact;
};

struct tercet_kernel {
  std::shared_ptr<tercet::Kernel> kernel;
  std::string target;                                 ///< as asked for
  std::vector<std::pair<std::string, double>> values; ///< of runtime parameters, instead of the plan's defaults
  tercet::CompileReport report;
  bool isCompiled = false;                    ///< report holds
  std::vector<std::vector<std::string>> axes; ///< text of every argument's

  const tercet::PlanSignature &signature() const { return kernel->artifact().signature(); }
};

namespace tercet::c {

/// A handle for the caller. target: as asked for.
tercet_kernel *kernelHandle(std::shared_ptr<Kernel> kernel, std::string target);

} // namespace tercet::c
