#include "ScoreRows.h"

#include <bit>
#include <cstring>

namespace tercet::rt {
namespace {

constexpr int64_t meanTile = 64;

void pooledRows(const SelectSlots &s, const BuiltinCall &call, const RowContext &at, int64_t first, int64_t rows,
                float *out) {
  const ScoreSlots &from = s.scores;
  const float *meanQ = from.meanQ + (at.gr * s.blocksQ + first) * s.headDim;
  const float *meanK = from.meanK + at.gr / s.headsPerKV * from.meanTilesPerPair * s.headDim * meanTile;
  const int64_t slots[] = {reinterpret_cast<int64_t>(meanQ),
                           reinterpret_cast<int64_t>(meanK),
                           reinterpret_cast<int64_t>(out),
                           rows,
                           from.meanTilesPerPair,
                           std::bit_cast<int64_t>(from.scale)};
  call.kernels[0](slots, 0, 0, 0, call.kernelScratch);
}

void givenRows(const SelectSlots &s, const RowContext &at, int64_t first, int64_t rows, float *out) {
  const ScoreSlots &from = s.scores;
  const float *table = from.table + at.head.batch * from.tableStrideB + at.head.queryHead * from.tableStrideH;
  for (int64_t row = 0; row < rows; ++row, out += scoreColumns(s)) {
    const float *source = table + (first + row) * from.tableStrideI;
    if (from.tableStrideJ == 1)
      std::memcpy(out, source, static_cast<size_t>(at.liveCols) * sizeof(float));
    else
      for (int64_t j = 0; j < at.liveCols; ++j)
        out[j] = source[j * from.tableStrideJ];
  }
}

} // namespace

int64_t scoreColumns(const SelectSlots &s) { return (s.blocksK + meanTile - 1) / meanTile * meanTile; }

int64_t scoreScratchBytes(const SelectSlots &s) {
  switch (static_cast<ScoreSource>(s.scores.source)) {
  case ScoreSource::sampled:
    return sampleScratchBytes(s);
  case ScoreSource::compressed:
    return compressedScratchBytes(s);
  case ScoreSource::pooled:
  case ScoreSource::given:
    break;
  }
  return 0;
}

void scoreRows(const SelectSlots &s, const BuiltinCall &call, const RowContext &at, int64_t first, int64_t rows,
               float *out, char *scratch) {
  switch (static_cast<ScoreSource>(s.scores.source)) {
  case ScoreSource::pooled:
    return pooledRows(s, call, at, first, rows, out);
  case ScoreSource::sampled:
    return sampleRows(s, call, at, first, rows, out, scratch);
  case ScoreSource::compressed:
    return compressedRows(s, call, at, first, rows, out, scratch);
  case ScoreSource::given:
    return givenRows(s, at, first, rows, out);
  }
}

} // namespace tercet::rt
