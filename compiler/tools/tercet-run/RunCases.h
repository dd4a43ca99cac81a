// RunCases: every case of a table on one device.
#pragma once

#include "CaseResult.h"

namespace tercet::run {

struct RunTarget {
  Session &session;
  std::string target;                    ///< "cuda:0", "sim:sm_80", "cpu"
  std::shared_ptr<rt::GpuDevice> device; ///< null for the CPU
  /// Another target to compare results with; "sim": the simulator of the architecture whose code ran. Empty: none.
  std::string beside = "";
};

/// Never fails: what goes wrong is told in the result. A case without code for the device is skipped.
CaseResult runCase(const RunTarget &target, const CaseEntry &entry);

/// Zero-filled memory for an output of the artifact at these sizes, as a row-major tensor under `storage`.
Tensor makeOutput(const PlanArgument &argument, const TableSizes &sizes, int64_t valueDim,
                  std::vector<std::vector<char>> &storage);

} // namespace tercet::run
