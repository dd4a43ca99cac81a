// ScheduleOptions: --schedule and --deterministic: which schedules a program is compiled with, where not those of the tuning
// database or the default.
#pragma once

#include "Options.h"

#include "tercet/Session.h"

namespace tercet::cli {

struct CallData;
struct LoadedSpec;

/// The schedules that were named.
struct ScheduleRequest {
  struct Named {
    std::optional<Direction> direction; ///< absent: every direction
    std::string kernel, text;
  };
  std::vector<Named> named;
  bool deterministic = false;

  /// Those of the problem's direction.
  void applyTo(Problem &problem) const;
};

struct ScheduleOptions {
  std::vector<std::string> texts;
  bool deterministic = false;

  void declare(Options &options);
  /// invalidArgument where a text is not [forward.|backward.]KERNEL=SCHEDULE, or both options are given. What schedules there are
  /// is the compiler's to say.
  Result<ScheduleRequest> resolve() const;
};

/// The call as tuning databases ask for it. Blocks are counted where the count rules give them.
ExpectedCall expectedCall(const LoadedSpec &spec, const CallData &call);

} // namespace tercet::cli
