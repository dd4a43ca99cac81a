// Isolation: work in a child process, so that a kernel that hangs or poisons its context spoils one result and not all.
#pragma once

#include "Output.h"

#include <functional>

namespace tercet::run {

/// Calls `work` in a child and returns its object. launchFailed when the child dies, or takes longer than `seconds`, after
/// which it is killed. This process must not have opened a device: a driver does not survive a fork.
Result<cli::Json> runIsolated(const std::function<cli::Json()> &work, double seconds);

} // namespace tercet::run
