// PairCases: entries of the case table for masks, score regions, patterns and block sets.
#pragma once

#include "Case.h"

namespace tercet::test {

void addPairCases(std::vector<Case> &cases);

} // namespace tercet::test
