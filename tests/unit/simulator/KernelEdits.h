// One edit at a time to a generated kernel and the device library: what a test of the simulator calls a bug, and how it is looked
// for.
#pragma once

#include <functional>
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

/// The text of a kernel with the device library put in, each file once.
std::string withDeviceLibrary(const std::string &kernel);

/// Checks that nothing is wrong with a source, and that with each edit something is, unless the edit is harmless or said to
/// be missed. findFault: what is wrong with an edited source, empty if nothing; called on two threads at a time.
BugCount countBugs(const std::string &source, const std::vector<KernelEdit> &edits,
                   const std::function<std::string(const std::string &)> &findFault);

} // namespace tercet::test
