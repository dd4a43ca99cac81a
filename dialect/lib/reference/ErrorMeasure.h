// ErrorMeasure: distances between what a target gave and what is right.
#pragma once

#include "tercet/dialect/reference/Contract.h"

#include <cstdint>
#include <span>
#include <vector>

namespace tercet::reference {

/// Errors over the elements that are finite on both sides.
struct ErrorStats {
  double relativeL2 = 0, max = 0, mean = 0;
  int64_t nonFinite = 0; ///< elements that are not the same infinity, NaN or finite on both sides
  size_t worst = 0;      ///< index of the largest error, or of the first non-finite difference
};

/// dtype: what `got` is stored in; a right value that overflows there is that infinity. denominatorFloor: each element
/// counts as at least this large in the relative error.
ErrorStats measureErrors(std::span<const double> got, std::span<const double> right, DType dtype,
                         double denominatorFloor);

/// Bits after the leading one of a number.
constexpr int fractionOfF32 = 23;
/// Of a sum of two bf16: what matrix units for 16-bit operands keep of an f32 one.
constexpr int fractionOfPairs = 15;

/// What roundings alone cost. max: 2 max |(x + 0.3 - 0.3) - x| in `dtype`, at least one unit in the last place of the
/// largest |x|. relativeL2: the norm of the same differences, at least that of one unit of the arithmetic each. mean: the most
/// that one rounding of the arithmetic costs, half a unit in the last place of each |x| (at least of the denominator floor).
/// The arithmetic is fp32 whatever the output is, or has operands with a shorter fraction.
struct RoundingFloor {
  double relativeL2 = 0, max = 0, mean = 0;
};
RoundingFloor roundingFloor(std::span<const double> right, DType dtype, double denominatorFloor,
                            int fraction = fractionOfF32);

/// Value rounded to a float dtype, through the same conversions as Tensor::set.
double roundedTo(DType dtype, double value);

} // namespace tercet::reference
