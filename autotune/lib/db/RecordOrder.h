// RecordOrder: which of two records about the same holds.
#pragma once

#include "tercet/autotune/Record.h"

#include <compare>

namespace tercet::tune {

/// Less when `a` is preferred: the later one, then the faster, then that of the smaller digest. Total: equal records have
/// equal digests.
std::strong_ordering preference(const StoredRecord &a, const StoredRecord &b);

} // namespace tercet::tune
