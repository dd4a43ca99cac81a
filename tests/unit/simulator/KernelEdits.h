// One edit at a time to a generated kernel and the device library: what a test of the simulator calls a bug, and how it is looked
// for.
#pragma once

#include "unit/simulator/DenseProblem.h"

#include <string>
#include <vector>

namespace tercet::test {

/// Replaces the first `from` of the kernel's text with the device library put in. A test fails where that text is gone, so
/// the lists stay true.
struct KernelEdit {
  const char *from, *to;
  /// Why the kernel is right with it all the same; null for a bug.
  const char *harmless = nullptr;
  /// Why the simulator cannot find this bug (docs/simulator-mutations.md); null where it does.
  const char *missed = nullptr;
};

struct BugCount {
  int bugs = 0, found = 0;
};

/// Checks that the dense kernel of this architecture is right, and that with each edit it is found to be wrong, unless the
/// edit is harmless or said to be missed. Two edits are tried at a time. spec: another one than dense, with its arguments.
BugCount findBugs(const char *architecture, int64_t headDim, const std::vector<DenseProblem> &problems,
                  const std::vector<KernelEdit> &edits, const std::string &spec = {});

} // namespace tercet::test
