// RowSums: sums of rows in row order, so that they are the same bits at every vector width.
#pragma once

#include "Elements.h"
#include "TokenRows.h"

namespace tercet::rt {

/// sums[c] += the rows' elements, row 0 first. 32 columns at a time stay in registers.
template <typename Element>
[[gnu::always_inline]] inline void addRows(TokenRows<typename Element::Type> source, int64_t rows, int64_t dim,
                                           float *sums) {
  int64_t c = 0;
  for (; c + 32 <= dim; c += 32) {
    Float8 sum[4];
    for (int part = 0; part < 4; ++part)
      sum[part] = loadVector<Float8>(sums + c + 8 * part);
    for (int64_t t = 0; t < rows; ++t)
      for (int part = 0; part < 4; ++part)
        sum[part] += Element::load8(source[t] + c + 8 * part);
    for (int part = 0; part < 4; ++part)
      storeVector(sums + c + 8 * part, sum[part]);
  }
  for (int64_t t = 0; t < rows; ++t)
    for (int64_t rest = c; rest < dim; ++rest)
      sums[rest] += Element::toFloat(source[t][rest]);
}

/// The mean of the rows; 0 if there are none.
template <typename Element>
[[gnu::always_inline]] inline void meanOfRows(TokenRows<typename Element::Type> source, int64_t rows, int64_t dim,
                                              float *mean) {
  for (int64_t c = 0; c < dim; ++c)
    mean[c] = 0;
  addRows<Element>(source, rows, dim, mean);
  if (rows > 0)
    for (int64_t c = 0; c < dim; ++c)
      mean[c] /= static_cast<float>(rows);
}

} // namespace tercet::rt
