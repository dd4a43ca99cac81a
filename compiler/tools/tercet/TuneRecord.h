// TuneRecord: what a search found, as the tuning database keeps it.
#pragma once

#include "TuneBench.h"

#include "tercet/autotune/Record.h"

namespace tercet::cli {

/// Of one direction: the schedules that beat the default, or none, and the times of the duel, or of the default alone.
/// `last` is the search of the last kernel, which had the others at their best.
tune::Record makeTuneRecord(const TuneBench &bench, Direction direction,
                            const std::vector<std::pair<std::string, std::string>> &schedules,
                            const tune::TuneResult &last);

/// "inference", "forward", "backward".
const char *directionName(Direction direction);

} // namespace tercet::cli
