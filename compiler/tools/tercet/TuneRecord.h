// TuneRecord: what a search found, as the tuning database keeps it.
#pragma once

#include "TuneBench.h"

#include "tercet/autotune/Record.h"

namespace tercet::cli {

/// What the bench measures, where, and now: a record without schedules and times.
tune::Record makeTuneRecord(const TuneBench &bench, Direction direction);

/// Of one direction: the schedules that beat the default, or none, and the times of the duel, or of the default alone.
/// `last` is the search of the last kernel, which had the others at their best.
void addOutcome(tune::Record &record, std::vector<std::pair<std::string, std::string>> schedules,
                const tune::TuneResult &last);

} // namespace tercet::cli
