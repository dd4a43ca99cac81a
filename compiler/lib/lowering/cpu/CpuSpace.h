// CpuSpace: the legal schedules of a CPU program that are worth a trial, and those that are not legal.
#pragma once

#include "CpuKnobs.h"

namespace tercet::compiler {

/// Milliseconds of a call by the floor model (docs/decisions/0028-schedule-spaces.md), on `threads` threads: for comparing schedules of a
/// program with each other.
double predictedMs(const Program &program, const CpuSchedule &schedule, const ExpectedCall &call, int threads);

struct RankedCpuSchedule {
  CpuSchedule schedule;
  double predicted = 0;
};

struct CpuSpace {
  std::vector<RankedCpuSchedule> candidates; ///< the default, then the others, least predicted first
  std::vector<std::string> pruned;           ///< "knob=value: rule: what it says"
};

/// The default, all that differ from it in one knob, and of those that differ in two the least predicted, up to `most` in all.
CpuSpace cpuSpace(const Program &program, CpuLevel level, const ExpectedCall &call, int threads, size_t most = 192);

} // namespace tercet::compiler
