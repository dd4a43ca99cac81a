// Candidate: a schedule that a tuner may time, and the list of them for one kernel. The compiler makes such lists
// (tercet/ScheduleSpace.h); for a tuner a schedule is text with named knobs.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tercet::tune {

struct Candidate {
  std::string text; ///< as Problem::schedules takes it
  std::vector<std::pair<std::string, std::string>>
      knobs;            ///< what `text` sets, name and value; the same names everywhere
  double predicted = 0; ///< cost by the floor model; only the order counts
};

/// What may be chosen for one kernel ("cpu": for the whole program of a CPU).
struct Space {
  std::string kernel;
  std::vector<Candidate> candidates; ///< the first is the analytic default
};

} // namespace tercet::tune
