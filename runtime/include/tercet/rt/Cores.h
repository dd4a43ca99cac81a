// Cores: placing measuring threads. A scheduler may leave two new threads on one core for longer than a measurement
// lasts.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace tercet::rt {

/// Runs body(0 .. threads-1) at once and returns when all have: with one thread on the caller, wherever it runs; with
/// more on threads of its own, the i-th on the i-th core that the process may use (where the system can place threads).
/// They start together. `body` must not throw. Throws std::system_error if a thread cannot be started; nothing ran
/// then.
void runOnCores(size_t threads, const std::function<void(size_t thread)> &body);

/// Seconds that threads have spent runnable but without a core so far: those of the process that live, and those that
/// runOnCores started and ended. 0 where the system does not say.
double secondsWaited();

/// The system's numbers of all threads that this process has now, ascending; empty where the system does not say.
std::vector<int> threadNumbers();

/// Keeps a thread (0: the caller) on the index-th core, counted round among the cores that the process could use when
/// this library first asked. Does nothing where the system cannot place threads.
void moveToCore(int threadNumber, size_t index);

} // namespace tercet::rt
