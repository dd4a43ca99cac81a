// FindSchedules: the schedules of a problem, from who named them or from the tuning database.
#pragma once

#include "tercet/Session.h"

#include <string>

namespace tercet::compiler {

/// Fills in `schedules` and `scheduleSource`, once per compile and key. Named ones stay; else those of the nearest row that the tuning
/// database has for the expected call; else none, which are the default. specText: of the bound spec; target: of the module that will be
/// made. Reads files that have changed since the last call of this process, and no others.
void findSchedules(const std::string &specText, const std::string &target, Problem &problem);

} // namespace tercet::compiler
