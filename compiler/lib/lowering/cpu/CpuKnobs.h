// CpuKnobs: the sizes of a CPU schedule that may be chosen, by name, and the rules that a choice keeps. What a rule forbids either
// has no kernel or no room.
#pragma once

#include "CpuSchedule.h"

#include "llvm/ADT/ArrayRef.h"

namespace tercet::compiler {

struct CpuKnob {
  const char *name;
  const char *what; ///< for people
  int64_t &(*of)(CpuSchedule &);
  /// Whether some kernel of the program depends on it.
  bool (*applies)(const Program &);
  /// What is tried, ascending; the default is tried whether it is among these or not.
  llvm::ArrayRef<int64_t> tried;
};

struct CpuRule {
  const char *name;
  const char *says;
  bool (*holds)(const Program &, const CpuSchedule &);
};

/// In the order of a schedule's text.
llvm::ArrayRef<CpuKnob> cpuKnobs();
llvm::ArrayRef<CpuRule> cpuRules();

/// The first rule that a schedule breaks; null: it is legal.
const CpuRule *brokenRule(const Program &program, const CpuSchedule &schedule);

/// The schedule with another value of a knob, and everything that follows from it; not necessarily a legal one.
CpuSchedule with(const Program &program, CpuSchedule schedule, const CpuKnob &knob, int64_t value);
int64_t valueOf(const CpuSchedule &schedule, const CpuKnob &knob);

/// The values of a knob that are legal beside the schedule's others, ascending.
llvm::SmallVector<int64_t> legalValues(const Program &program, const CpuSchedule &schedule, const CpuKnob &knob);

} // namespace tercet::compiler
