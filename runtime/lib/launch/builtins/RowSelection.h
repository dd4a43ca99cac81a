// RowSelection: one row of block scores to classes.
#pragma once

#include "tercet/Builtins.h"

namespace tercet::rt {

/// How many of a row's n non-empty blocks a fraction or a count stands for, in [0, n].
int64_t blockCount(double amount, bool isCount, CountRule rule, int64_t n);

/// What decides a row apart from its scores. Forced blocks: [0, sink) and [diagonalBegin, diagonalEnd), cut to `live`.
struct RowRule {
  int64_t live;          ///< non-empty key blocks: the candidates and n of the counts
  int64_t kept, dropped; ///< blockCount of keep (with the minimum applied) and of drop
  int64_t sink, diagonalBegin, diagonalEnd;
  bool forcedCounts; ///< forced blocks use up `kept`
};

/// Writes `live` classes. scores: `live` values; keys: scratch of as many integers. Best scores first, ties to the
/// lowest index, NaN below everything.
void classifyRow(const float *scores, const RowRule &rule, int32_t *keys, int8_t *classes);

} // namespace tercet::rt
