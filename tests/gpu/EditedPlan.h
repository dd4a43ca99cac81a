// A plan of a spec for a simulated GPU in which one kernel's text is edited: what KernelEdits.h looks for faults in.
#pragma once

#include "gpu/SimulatedCase.h"
#include "unit/simulator/KernelEdits.h"

namespace tercet::test {

/// Changes the contents of a case's inputs; null for none.
using ChangeInputs = void (*)(PreparedCase &);

/// The text of a kernel of an artifact for one target, with the device library put in.
std::string sourceOf(const Artifact &artifact, const std::string &kernel);

/// The artifact with another text of a kernel, compiled for `target`. compileFailed where that has faults.
Result<Artifact> withEditedKernel(Artifact artifact, const std::string &kernel, const std::string &text,
                                  const std::string &target);

/// With races looked for, and an end to kernels that an edit keeps from ending.
rt::SimulationOptions bounded(rt::SimulationOptions options, uint64_t maxInstructions);

class EditedPlan {
public:
  /// The plan is that of the first case; the others differ from it in what a plan takes at run time.
  EditedPlan(std::string target, std::string kernel, std::vector<Case> cases, ChangeInputs change = nullptr);

  /// The kernel's text with the device library put in.
  std::string source();

  /// What is wrong with any of the cases where the kernel has this text, in any of three modes; empty if nothing is. Races are
  /// looked for in all of them.
  std::string findFault(const std::string &edited);

private:
  std::string target, kernel;
  std::vector<Case> cases;
  ChangeInputs change;
  Artifact artifact;
  SimulatedBackend backends[3];
};

/// Requires that each bug among these edits of a kernel for sm_80 is found, and that there are four at least.
void requireFound(const std::string &kernel, const std::vector<Case> &cases, const std::vector<KernelEdit> &edits,
                  ChangeInputs change = nullptr);

} // namespace tercet::test
