// Cores: placing measuring threads. A scheduler may leave two new threads on one core for longer than a measurement
// lasts.
#pragma once

#include <cstddef>
#include <functional>

namespace tercet::rt {

/// Runs body(0 .. threads-1) at once and returns when all have: with one thread on the caller, wherever it runs; with
/// more on threads of its own, the i-th on the i-th core that the process may use (where the system can place threads).
/// They start together. `body` must not throw. Throws std::system_error if a thread cannot be started; nothing ran
/// then.
void runOnCores(size_t threads, const std::function<void(size_t thread)> &body);

} // namespace tercet::rt
