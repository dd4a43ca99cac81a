// PoolScoreCases: the part of the case table where pools of keys score.
#pragma once

#include "Case.h"

namespace tercet::test {

void addPoolScoreCases(std::vector<Case> &cases);

} // namespace tercet::test
