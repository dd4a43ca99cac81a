// A dense attention problem for a simulated kernel: inputs, what must come out (in double), and how close a run came.
#pragma once

#include "tercet/sim/Launch.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tercet::test {

/// Sizes; with lengths per batch, rows at or beyond them are NaN.
struct DenseShape {
  int64_t batch = 1, heads = 1, keyHeads = 1, queries = 64, keys = 64, dim = 64;
  double scale = 0;             ///< of scores; 0: 1 / sqrt(dim)
  float opposed = 0;            ///< if not 0: column 0 of q, and minus column 0 of k, so that all scores are low
  bool everyOtherEight = false; ///< queries 0 to 7 of 16 are zeros: their scores never rise
  std::vector<int32_t> queryLengths, keyLengths;
  std::function<bool(int64_t, int64_t)> allows; ///< query, key: what the kernel's mask says; null: everything
};

struct DenseOutcome {
  double error = 0;      ///< relative, of o
  double largestLse = 0; ///< absolute difference; relative where the LSE is larger than 1
  bool emptyRows = true; ///< rows beyond a length, or without a key, are 0 with an LSE of -infinity
  sim::LaunchReport report;

  /// Probabilities and outputs are rounded to bf16: 2^-9 each, and the norm averages; 3e-3 leaves little room.
  bool agrees() const { return error < 3e-3 && largestLse < 1e-3 && emptyRows; }
};

class DenseProblem {
public:
  explicit DenseProblem(DenseShape shape);

  /// Runs the kernel `attend`, of warps (64 queries per CTA) or of warpgroups with tensor maps (128 queries and 128 keys). The configuration's grid, block and shared memory are set here.
  Result<DenseOutcome> run(const sim::Module &module, int64_t sharedBytes, sim::LaunchConfig config) const;

  const DenseShape shape;

private:
  struct Array {
    std::vector<uint16_t> bits;
    int64_t heads, rows, dim;
    double at(int64_t b, int64_t h, int64_t row, int64_t column) const;
  };
  Array make(int64_t heads, int64_t rows, const std::vector<int32_t> &lengths, unsigned seed) const;
  void attend();
  void attendRow(int64_t b, int64_t h, int64_t i);

  Array q, k, v;
  std::vector<double> expected, expectedLse;
};

/// The launch of a test with everything on that makes trouble.
sim::LaunchConfig adversarial(sim::Landing landing, uint64_t seed);

} // namespace tercet::test
