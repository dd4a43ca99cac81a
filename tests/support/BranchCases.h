// Cases of specs with several branches.
#pragma once

#include "Case.h"

namespace tercet::test {

void addBranchCases(std::vector<Case> &cases);

} // namespace tercet::test
