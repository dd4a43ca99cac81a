// From errors to bounds.
#include "Comparison.h"

#include <algorithm>
#include <cmath>

namespace tercet::reference {
namespace {

constexpr double plainMaxFactor = 2, plainNormFactor = 2, plainMeanFactor = 1.25;

double norm(const std::vector<double> &values) {
  double sum = 0;
  for (double value : values)
    sum += value * value;
  return std::sqrt(sum);
}

double normErrorOf(const std::vector<double> &values, const std::vector<double> &right) {
  double size = norm(right);
  return size > 0 ? std::fabs(norm(values) / size - 1) : 0;
}

} // namespace

void Comparison::addPlain(std::vector<double> values) {
  for (double &value : values)
    value = roundedTo(dtype, value);
  ErrorStats errors = measureErrors(values, right, dtype, denominatorFloor);
  plain.relativeL2 = std::max(plain.relativeL2, errors.relativeL2);
  plain.max = std::max(plain.max, errors.max);
  plain.mean = std::max(plain.mean, errors.mean);
  plainNormError = std::max(plainNormError, normErrorOf(values, right));
}

OutputVerdict Comparison::verdict(RelativeBound by) const {
  ErrorStats errors = measureErrors(got, right, dtype, denominatorFloor);
  RoundingFloor floor = roundingFloor(right, dtype, denominatorFloor, fraction);
  OutputVerdict verdict{.name = name, .elements = static_cast<int64_t>(right.size()), .nonFinite = errors.nonFinite};
  double relative = plainMaxFactor * plain.relativeL2 + floor.relativeL2;
  if (by != RelativeBound::plain)
    relative = by == RelativeBound::larger ? std::max(fixed, relative) : fixed;
  verdict.relativeL2 = {errors.relativeL2, relative};
  verdict.maxError = {errors.max, plainMaxFactor * plain.max + floor.max};
  verdict.meanError = {errors.mean, plainMeanFactor * plain.mean + floor.mean};
  if (normBound > 0)
    verdict.normError = {normErrorOf(got, right), std::max(normBound, plainNormFactor * plainNormError)};
  if (!right.empty())
    verdict.worst =
        fmt::format("{}: got {:.9g}, expected {:.9g}", where(errors.worst), got[errors.worst], right[errors.worst]);
  return verdict;
}

bool areSettled(const std::vector<OutputVerdict> &verdicts) {
  return std::all_of(verdicts.begin(), verdicts.end(),
                     [](const OutputVerdict &output) { return output.passed() || output.nonFinite > 0; });
}

std::string reasonOf(const std::vector<OutputVerdict> &verdicts) {
  for (const OutputVerdict &output : verdicts) {
    if (output.nonFinite)
      return fmt::format("{} elements of {} are finite on one side only; first {}", output.nonFinite, output.name,
                         output.worst);
    for (auto [name, measure] : {std::pair{"relative L2 error", output.relativeL2},
                                 {"largest error", output.maxError},
                                 {"mean error", output.meanError},
                                 {"relative error of the norm", output.normError}})
      if (!measure.passed())
        return fmt::format("the {} of {} is {:.3g}, the bound {:.3g}; worst {}", name, output.name, measure.value,
                           measure.bound, output.worst);
  }
  return {};
}

} // namespace tercet::reference
