// ClassCounts: how many blocks of a group fell into each class, for the launch report.
#pragma once

#include "tercet/Status.h"
#include "tercet/rt/Builtin.h"
#include "tercet/rt/Workers.h"

namespace tercet::rt {

/// Non-empty blocks by class.
struct ClassCounts {
  int64_t critical = 0, marginal = 0, negligible = 0;
};

/// Counts the maps of query heads [0, heads) of the group that `map` describes.
Result<ClassCounts> countClasses(const ClassMapView &map, int64_t heads, const Workers &workers);

} // namespace tercet::rt
