// RowRemark: what is said of a tuning database's row that names no legal schedule.
#pragma once

#include "tercet/Session.h"

namespace tercet::compiler {

inline std::string passedOverRow(const Problem &problem, const Status &reason) {
  return fmt::format("the schedule of a row of {} is passed over: {}", problem.scheduleSource.file, reason.message());
}

} // namespace tercet::compiler
