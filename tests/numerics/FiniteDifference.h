// FiniteDifference: gradients against differences of the forward. Both are the oracle's, and the forward is tested by itself.
#pragma once

#include "tercet/dialect/reference/Data.h"
#include "tercet/dialect/reference/Gradients.h"

#include <string>
#include <vector>

namespace tercet::test {

/// A call in f64 (tables are f32), seeded, or changed as a test wants.
struct GradientCall {
  reference::Program program;
  reference::Data data;
  std::vector<std::pair<std::string, double>> parameters;

  /// Makes data for a program, with `do`.
  static GradientCall make(reference::Program program, const reference::Shape &shape, uint64_t seed = 1,
                           std::vector<std::pair<std::string, double>> parameters = {});
  /// Adds a tensor, or replaces the one of this name.
  GradientCall &set(const std::string &name, reference::OwnedTensor tensor);
  /// Adds an int32 tensor of lengths.
  GradientCall &lengths(const std::string &name, const std::vector<int32_t> &values);
  Arguments arguments() const;
  /// Fails the test on an error.
  reference::Gradients differentiate() const;
};

/// One gradient against central differences of sum(dO * O) along random directions of its input.
struct Slope {
  std::string name;  ///< "dq"
  double error = 0;  ///< the largest difference, relative to the norm of the gradient
  double bound = 0;  ///< beyond the error of the differences, by far below that of a wrong gradient
  double norm = 0;   ///< of the gradient
  double scaled = 0; ///< the error that a gradient too large by a thousandth would have
  bool passed() const { return error <= bound; }
};

/// The slopes of every gradient, at the classes of the call.
std::vector<Slope> slopesOf(const GradientCall &call, const reference::Gradients &gradients);

/// Checks every slope of a call, that no gradient is 0, and that gradients too large by a thousandth would be caught.
void checkGradients(const GradientCall &call);

/// The elements of a tensor, row-major.
std::vector<double> elementsOf(const Tensor &tensor);

/// Fails the test where there is no gradient of this name.
const std::vector<double> &valuesOf(const reference::Gradients &gradients, const std::string &name);

} // namespace tercet::test
