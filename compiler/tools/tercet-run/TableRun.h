// TableRun: every entry of a table, each in a process of its own where asked.
#pragma once

#include "RunBenchmarks.h"

namespace tercet::run {

struct TableOptions {
  std::string table, target, only;
  std::string beside; ///< RunTarget::beside
  bool cases = true, benchmarks = true;
  bool isolated = false;
  double seconds = 120; ///< for one entry in a process of its own
  BenchmarkOptions timing;
};

/// Opens the session and device of a target.
struct OpenedTarget {
  std::unique_ptr<Session> session;
  std::shared_ptr<rt::GpuDevice> device; ///< null for the CPU
  RunTarget view(const std::string &target, const std::string &beside = "") const {
    return {*session, target, device, beside};
  }
};
Result<OpenedTarget> openTarget(const std::string &target);

/// One object: commit, compiler, device, passed, cases, benchmarks. deviceUnavailable and unsupportedTarget when nothing can
/// run there.
Result<cli::Json> runTable(const TableOptions &options);

} // namespace tercet::run
