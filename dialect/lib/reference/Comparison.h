// Comparison: one output of a target beside what is right and beside plain evaluations (docs/numerics.md#bounds).
#pragma once

#include "ErrorMeasure.h"

#include <functional>
#include <string>
#include <vector>

namespace tercet::reference {

/// The largest input scale at which the fixed bounds hold; beyond it, softmax amplifies every rounding of a score.
constexpr double fixedBoundScale = 4;

/// What bounds a relative error: a number, the plain evaluation's error, or whichever is more.
enum class RelativeBound { fixed, plain, larger };

/// One output: what was got and what is right, element by element, and the errors of the plain evaluation.
struct Comparison {
  std::string name;
  DType dtype = DType::f32;     ///< what the output is stored in
  int fraction = fractionOfF32; ///< of the arithmetic; see roundingFloor
  double fixed = 0;             ///< see RelativeBound
  double denominatorFloor = 0;  ///< see measureErrors
  double normBound = 0;         ///< the relative error that the norm may have at least; 0: it is not looked at
  std::vector<double> got, right;
  ErrorStats plain; ///< the largest of all orders that were added
  double plainNormError = 0;
  std::function<std::string(size_t)> where;

  /// Takes the errors of one more plain evaluation.
  void addPlain(std::vector<double> values);
  OutputVerdict verdict(RelativeBound by) const;
};

/// Whether no further plain evaluation could change a verdict: bounds only grow with them.
bool areSettled(const std::vector<OutputVerdict> &verdicts);

/// What failed among outputs, in one sentence; empty where all passed.
std::string reasonOf(const std::vector<OutputVerdict> &verdicts);

} // namespace tercet::reference
