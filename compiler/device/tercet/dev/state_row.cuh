// The row of numbers that the state of a key block, or of a query block, is.
#pragma once

#include "tercet/dev/types.cuh"

namespace tercet::dev {

/// D features and DV values, both padded to 16: h in the first D * DV columns, then z, then zeros up to a multiple of 64.
template <int D, int DV> struct StateRow {
  static constexpr int features = D, values = DV, z = D * DV, columns = (D * DV + D + 63) / 64 * 64;
};

/// What the rows of a block weigh in a state: factors of their features, and what z sums in place of ones.
struct PlainRows {
  TERCET_DEVICE float features(int) const { return 1; }
  TERCET_DEVICE float ones(int) const { return 1; }
};

} // namespace tercet::dev
