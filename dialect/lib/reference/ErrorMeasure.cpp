// Error norms and the rounding floor.
#include "ErrorMeasure.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tercet::reference {

double roundedTo(DType dtype, double value) {
  double stored = 0;
  Tensor cell = Tensor::contiguous(&stored, dtype, {1});
  cell.set(value, 0);
  return cell.get(0);
}

static bool sameKind(double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return std::isnan(a) && std::isnan(b);
  if (std::isinf(a) || std::isinf(b))
    return a == b;
  return true;
}

static double relative(double squaredError, double squaredRight) {
  if (squaredError == 0)
    return 0;
  return squaredRight == 0 ? std::numeric_limits<double>::infinity() : std::sqrt(squaredError / squaredRight);
}

ErrorStats measureErrors(std::span<const double> got, std::span<const double> right, DType dtype,
                         double denominatorFloor) {
  ErrorStats stats;
  double squaredError = 0, squaredRight = 0, sum = 0;
  int64_t finite = 0;
  for (size_t index = 0; index < right.size(); ++index) {
    if (!sameKind(got[index], roundedTo(dtype, right[index]))) {
      if (stats.nonFinite++ == 0)
        stats.worst = index;
      continue;
    }
    if (!std::isfinite(got[index]))
      continue;
    double error = std::fabs(got[index] - right[index]), size = std::max(std::fabs(right[index]), denominatorFloor);
    squaredError += error * error;
    squaredRight += size * size;
    sum += error;
    ++finite;
    if (error > stats.max) {
      stats.max = error;
      if (stats.nonFinite == 0)
        stats.worst = index;
    }
  }
  stats.relativeL2 = relative(squaredError, squaredRight);
  stats.mean = finite ? sum / static_cast<double>(finite) : 0;
  return stats;
}

static int fractionOf(DType dtype) {
  return dtype == DType::bf16 ? 7 : dtype == DType::f16 ? 10 : dtype == DType::f32 ? fractionOfF32 : 52;
}

static double unitInLastPlace(int fraction, double value) {
  return value > 0 ? std::ldexp(1.0, std::ilogb(value) - fraction) : 0;
}

RoundingFloor roundingFloor(std::span<const double> right, DType dtype, double denominatorFloor, int fraction) {
  RoundingFloor floor;
  double largest = 0, squaredRounding = 0, squaredUnits = 0, squaredRight = 0, units = 0;
  int64_t finite = 0;
  for (double value : right) {
    double x = roundedTo(dtype, value);
    if (!std::isfinite(x))
      continue;
    double rounding = 2 * std::fabs(roundedTo(dtype, roundedTo(dtype, x + 0.3) - 0.3) - x);
    double size = std::max(std::fabs(value), denominatorFloor), unit = unitInLastPlace(fraction, size);
    floor.max = std::max(floor.max, rounding);
    largest = std::max(largest, std::fabs(x));
    squaredRounding += rounding * rounding;
    squaredUnits += unit * unit;
    squaredRight += size * size;
    units += unit;
    ++finite;
  }
  floor.max = std::max(floor.max, unitInLastPlace(std::min(fraction, fractionOf(dtype)), largest));
  floor.mean = finite ? units / 2 / static_cast<double>(finite) : 0;
  floor.relativeL2 = relative(std::max(squaredRounding, squaredUnits), squaredRight);
  return floor;
}

} // namespace tercet::reference
