// BlockStates: what blocks are before selection looks at scores (docs/spec.md#select, step 1).
#pragma once

#include "GroupHead.h"
#include "Ranking.h"

namespace tercet::rt {

/// Where a chunk of rows stands: its head of the group, and what is live there.
struct RowContext {
  int64_t gr;
  GroupHead head;
  int64_t liveQ, liveK;       ///< tokens
  int64_t liveRows, liveCols; ///< blocks

  RowContext(const SelectSlots &s, int64_t gr);
};

/// States of the live columns of live query block i.
void findStates(const SelectSlots &s, const RowContext &row, int64_t i, uint8_t *states);

/// States of a row that several heads share: empty where they all are, partial or forced where one is, forbidden where
/// one is and none is forced. `states` holds those of the heads before.
void mergeStates(const uint8_t *other, int64_t count, uint8_t *states);

} // namespace tercet::rt
