// BenchReport: what the repetitions of a benchmark come to, as JSON and as text.
#pragma once

#include "Executor.h"

namespace tercet::cli {

/// One launch of a part, and the multiply-add peak around it (0: not probed).
struct TimedPart {
  LaunchReport report;
  double peak = 0;
};

/// One launch of every part of the call.
using Repetition = std::vector<TimedPart>;

/// One contender: its executor, its call, and its repetitions.
struct Timed {
  std::unique_ptr<Executor> executor;
  CallData call;
  CallOutputs outputs;
  std::vector<CallPart> parts; ///< forward and backward, or one
  std::vector<Repetition> repetitions;
};

/// Adds `ms`, `stages` and what follows from them to what is known of the command; of a contender with a forward and a
/// backward also for each of the two. dense: the same call of dense attention, null: there is none; may be `own`.
Status addMeasures(Json &object, const Timed &own, const Timed *dense);

/// The object as lines of text.
std::string benchText(const Json &object);

} // namespace tercet::cli
