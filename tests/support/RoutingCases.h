// RoutingCases: entries of the case table in which queries select blocks of keys for themselves, or a few together.
#pragma once

#include "Case.h"

namespace tercet::test {

void addRoutingCases(std::vector<Case> &cases);

} // namespace tercet::test
