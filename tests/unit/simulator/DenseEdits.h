// Edits to the dense kernel, each compiled to PTX and run on every problem in every mode.
#pragma once

#include "unit/simulator/DenseProblem.h"
#include "unit/simulator/KernelEdits.h"

namespace tercet::test {

/// countBugs for the dense kernel of an architecture. spec: the text of another one with the same arguments.
BugCount findBugs(const char *architecture, int64_t headDim, const std::vector<DenseProblem> &problems,
                  const std::vector<KernelEdit> &edits, const std::string &spec = {});

} // namespace tercet::test
