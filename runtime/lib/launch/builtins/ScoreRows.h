// ScoreRows: scores of a chunk of query blocks, wherever they come from.
#pragma once

#include "BlockStates.h"

#include "tercet/rt/Builtin.h"

namespace tercet::rt {

/// Floats from one row of scores to the next.
int64_t scoreColumns(const SelectSlots &s);
/// Bytes that scoreRows needs for itself.
int64_t scoreScratchBytes(const SelectSlots &s);
/// Scores of the live columns of `rows` live query blocks from `first` on: logits, or shares where they are sampled or compressed.
void scoreRows(const SelectSlots &s, const BuiltinCall &call, const RowContext &at, int64_t first, int64_t rows,
               float *out, char *scratch);

/// The same, for sampled scores.
int64_t sampleScratchBytes(const SelectSlots &s);
void sampleRows(const SelectSlots &s, const BuiltinCall &call, const RowContext &at, int64_t first, int64_t rows,
                float *out, char *scratch);

/// Row r of `out` [rows][groupSize * headDim]: the tokens of group r of those from firstToken on, the last one first; 0 where there is none.
void gatherQueries(const SelectSlots &s, const RowContext &at, int64_t firstToken, int64_t rows, int64_t groupSize,
                   float *out);

/// The same, for compressed scores.
int64_t compressedScratchBytes(const SelectSlots &s);
void compressedRows(const SelectSlots &s, const BuiltinCall &call, const RowContext &at, int64_t first, int64_t rows,
                    float *out, char *scratch);

inline bool areShares(const SelectSlots &s) {
  auto source = static_cast<ScoreSource>(s.scores.source);
  return source == ScoreSource::sampled || source == ScoreSource::compressed;
}

} // namespace tercet::rt
