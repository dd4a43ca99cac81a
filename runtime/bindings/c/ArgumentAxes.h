// ArgumentAxes: the shape of any argument in the words that shapes of tables are said in (tercet/TableAxis.h).
#pragma once

#include "tercet/Plan.h"

namespace tercet::c {

/// One TableAxis, or number of entries, per axis.
std::vector<int64_t> argumentAxes(const PlanArgument &argument, int64_t headDim);

} // namespace tercet::c
