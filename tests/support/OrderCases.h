// OrderCases: entries of the case table for specs under a token order.
#pragma once

#include "Case.h"

namespace tercet::test {

void addOrderCases(std::vector<Case> &cases);

} // namespace tercet::test
