// Transpose: 8 x 8 floats in registers, written once over GCC vectors for every CPU level.
#pragma once

#include "Elements.h"

namespace tercet::rt {

[[gnu::always_inline]] inline void transpose8x8(const Float8 (&rows)[8], Float8 (&columns)[8]) {
  Float8 pairs[8], quads[8];
  for (int i = 0; i < 8; i += 2) { // interleave neighbours within 128-bit halves
    pairs[i] = __builtin_shufflevector(rows[i], rows[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    pairs[i + 1] = __builtin_shufflevector(rows[i], rows[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  for (int i = 0; i < 8; i += 4)
    for (int p = 0; p < 2; ++p) {
      quads[i + 2 * p] = __builtin_shufflevector(pairs[i + p], pairs[i + p + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      quads[i + 2 * p + 1] = __builtin_shufflevector(pairs[i + p], pairs[i + p + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  for (int i = 0; i < 4; ++i) { // exchange the halves
    columns[i] = __builtin_shufflevector(quads[i], quads[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    columns[i + 4] = __builtin_shufflevector(quads[i], quads[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

} // namespace tercet::rt
