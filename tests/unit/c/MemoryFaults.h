// MemoryFaults: allocations of one thread, counted, so that a test can refuse any of them; and how many are alive.
//
// The program's own malloc and its kin come before the C library's, for every library of the process.
#pragma once

#include <cstddef>

namespace tercet::test {

enum class Refuse {
  one, ///< the chosen allocation
  all, ///< it and all after it
};

/// From now on, the `number`-th allocation of this thread (the first is 1) of at least so many bytes is refused.
void refuseAllocation(Refuse which, long number, size_t atLeast);
/// Whether any was refused since.
bool allowAllocations();
/// Allocations of the process that nobody has freed.
long liveAllocations();

} // namespace tercet::test
