// Cases of specs with several branches.
#pragma once

#include "Case.h"

namespace tercet::test {

void addBranchCases(std::vector<Case> &cases);
/// Block means by means of queries, which are a stage of their own.
void addPooledMeanCases(std::vector<Case> &cases);

} // namespace tercet::test
