// FileFaults: the calls of this process that change files or directories, counted, so that a test can end the process at any of
// them or let any of them fail. Calls that only read are not steps: they change nothing that another process sees.
//
// The program's own definitions of write, rename and so on come before the C library's, for the C++ library's calls, too. Files in
// memory alone (memfd) are left out.
#pragma once

namespace tercet::test {

enum class Fault {
  none,
  killBefore,  ///< SIGKILL instead of the call
  killHalfway, ///< half of a write happens, then SIGKILL; other calls as killBefore
  failOnce,    ///< the call fails
  failOn,      ///< it, and all that take space after it: opening for writing, writing, flushing, mkdir, rename
};

/// From now on, the `step`-th call (the first is 1) is the one. `error` is what a failing call sets errno to.
void armFileFault(Fault fault, int step, int error = 0);
void disarmFileFault();
/// Calls since the last arming.
int fileSteps();

} // namespace tercet::test
