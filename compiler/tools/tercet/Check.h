// Check: the command with its executors handed in, so that a test can hand in one that computes wrongly and see the
// command say so.
#pragma once

#include "Command.h"
#include "Executor.h"

namespace tercet::cli {

std::unique_ptr<Command> makeCheckCommand(ExecutorFactory makeExecutor);

} // namespace tercet::cli
