// The schedules in which a problem's kernels can be compiled: what a tuner tries, and what people name by hand.
#pragma once

#include "tercet/Session.h"

#include <string>
#include <utility>
#include <vector>

namespace tercet {

/// "inference", "forward" or "backward": as keys of the tuning database have it, when they are written and when they are asked for.
const char *directionName(Direction direction);

/// A legal schedule of a kernel.
struct ScheduleCandidate {
  std::string text;                                       ///< as Problem::schedules takes it
  std::vector<std::pair<std::string, std::string>> knobs; ///< name, value: what the text says, in its order
  double predicted = 0; ///< milliseconds by the floor model for a call as Problem::expected, or for a stated one
};

/// The schedules of a kernel, or under the name "cpu" of all kernels of a CPU.
struct ScheduleSpace {
  std::string kernel;
  std::vector<ScheduleCandidate> candidates; ///< the analytic default first, then the others, least predicted first
  std::vector<std::string> pruned;           ///< what is left out: schedule or value, and the name of the rule
};

/// The spaces of a problem, one per kernel that has a choice; compiles nothing. Errors: those of a compile that come
/// before code is generated.
Result<std::vector<ScheduleSpace>> scheduleSpaces(const Spec &spec, const Problem &problem);

} // namespace tercet
