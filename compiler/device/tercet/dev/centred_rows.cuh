// Rows less a vector, their centre: what a difference of sums over them does not depend on is not rounded along with it.
#pragma once

#include "tercet/dev/global.cuh"
#include "tercet/dev/group.cuh"

namespace tercet::dev {

/// Rows, each less `centre`.
template <class Element, int COLS> struct CentredRows {
  static constexpr int cols = COLS;
  Rows<Element, COLS> rows;
  const float *centre;
};

/// Rows less their centre, or as they are.
template <bool CENTRES, class Element, int COLS>
TERCET_DEVICE auto rows_less(Rows<Element, COLS> rows, const float *centre) {
  if constexpr (CENTRES)
    return CentredRows<Element, COLS>{rows, centre};
  else
    return rows;
}

/// Column c of a row.
template <class Element, int COLS> TERCET_DEVICE float element_of(Rows<Element, COLS> rows, index row, int c) {
  return to_float(rows.row(row)[c]);
}
template <class Element, int COLS> TERCET_DEVICE float element_of(CentredRows<Element, COLS> rows, index row, int c) {
  return element_of(rows.rows, row, c) - rows.centre[c];
}

/// Columns c, c + 1 of a row.
template <class Element, int COLS> TERCET_DEVICE float2 pair_of(Rows<Element, COLS> rows, index row, int c) {
  return load_pair(rows.row(row) + c);
}
template <class Element, int COLS> TERCET_DEVICE float2 pair_of(CentredRows<Element, COLS> rows, index row, int c) {
  const float2 x = pair_of(rows.rows, row, c);
  return {x.x - rows.centre[c], x.y - rows.centre[c + 1]};
}

/// The same; 0 where there are none.
template <class RowsOf> TERCET_DEVICE float2 pair_or_zero(RowsOf rows, index row, index live, int c) {
  return row < live && c < RowsOf::cols ? pair_of(rows, row, c) : float2{0, 0};
}

/// The centre of a pair's values and, with W, that times W^T, both [PADDED]: the mean of at most SAMPLES rows, evenly spread
/// over the `live` ones. Any vector is right; near the mean of all it takes most out of the sums. weight: as project_rows
/// takes it, or null.
template <int THREADS, int SAMPLES, class Element, int DV, int PADDED>
TERCET_DEVICE void value_centre(Rows<Element, DV> values, index live, const float *weight, Rows<float, PADDED> centre,
                                Rows<float, PADDED> projected) {
  const int count = static_cast<int>(smaller(live, SAMPLES));
  for (int c = static_cast<int>(threadIdx.x); c < PADDED; c += THREADS) {
    float sum = 0;
#pragma unroll 16
    for (int i = 0; i < count; ++i)
      sum += c < DV ? element_of(values, quotient(i * live, count), c) : 0.0f;
    centre.base[c] = count > 0 ? sum / static_cast<float>(count) : 0.0f;
  }
  if (weight == nullptr)
    return;
  __syncthreads();
  for (int e = static_cast<int>(threadIdx.x); e < PADDED; e += THREADS) {
    float sum = 0;
#pragma unroll 8
    for (int c = 0; c < PADDED; ++c) {
      float x;
      if constexpr (sizeof(Element) == 4) {
        x = weight[c * PADDED + e];
      } else {
        const bf16 *line = reinterpret_cast<const bf16 *>(weight) + e * PADDED + c;
        x = to_float(line[0]) + to_float(line[PADDED * PADDED]);
      }
      sum = fmaf(x, centre.base[c], sum);
    }
    projected.base[e] = sum;
  }
}

} // namespace tercet::dev
