// Bugs put one by one into kernels of a backward, each looked for by running it on what a forward saved.
#pragma once

#include "gpu/SimulatedCase.h"
#include "unit/simulator/KernelEdits.h"

namespace tercet::test {

using EditsOfKernels = std::vector<std::pair<const char *, std::vector<KernelEdit>>>;

/// Heads that share keys, tails, lengths, and numbers that are not there beyond them.
Case raggedBackward(std::string spec, DType dtype = DType::bf16);

/// Requires that each bug among these edits of kernels for a target is found, under any legal order of events and with races looked for,
/// too; and that there are three at least per kernel.
void requireFoundInBackward(const Case &sample, const EditsOfKernels &kernels, const std::string &target = "sm_80");

} // namespace tercet::test
