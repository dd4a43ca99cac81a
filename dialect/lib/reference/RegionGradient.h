// RegionGradient: reverse mode through a score region or the factor of a gate (docs/gradients.md#regions).
#pragma once

#include "PairEvaluator.h"

#include <array>
#include <cstdint>
#include <vector>

namespace tercet::reference {

/// What one read adds to the gradient of its table.
struct TableTerm {
  size_t table = 0; ///< index into Program::tables
  std::array<int64_t, 4> entry{};
  double value = 0;
};

/// Differentiates one region, pair by pair. Holds its adjoints: one thread at a time.
class RegionGradient {
public:
  /// precision: of adjoints. f64 in the oracle, also where the values themselves are f32.
  RegionGradient(const PairProgram &pairs, ScorePrecision precision);

  /// Takes `adjoint`, the derivative by what the region yielded at the pair that `at` evaluated last, back to its inputs:
  /// returns that by the score and leaves those by entries of tables in `tables`. What is not chosen, and what an adjoint
  /// of 0 reaches, gets nothing, whatever its derivative there is.
  double run(const PairEvaluator &at, double adjoint);

  std::vector<TableTerm> tables;

private:
  const PairProgram &pairs;
  bool isF32;
  std::vector<double> adjoints; ///< per register

  void add(int target, double value);
};

/// The partial derivatives of an op of numbers by its operands, where they are `a`, `b` and `c` and its result is `y`. 0 for
/// an op that is flat, and for operands that it does not have.
std::array<double, 3> partialDerivatives(PairOp::Kind kind, double a, double b, double c, double y);

} // namespace tercet::reference
