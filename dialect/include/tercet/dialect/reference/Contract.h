// The numerics contract: when the outputs of a target count as right (docs/numerics.md).
//
// Inputs scaled by 1 to 4: relative L2 <= 1e-5 in f32, <= 4e-3 in f16 and bf16. Beyond that, under a score region (where it
// is more), and for the largest error at every scale: <= 2 x the error of the plain low-precision evaluation plus a floor of one rounding. The mean error
// stays within 1.25 x the plain evaluation's plus half an fp32 unit in the last place. What one evaluation errs by is
// chance where a few elements carry the error, so the plain evaluation's error is the largest over 16 orders of
// summation (docs/decisions/0013-plain-error.md). lse is f32 whatever the inputs are; its relative error is taken
// against max(|lse|, 1), since an absolute error of a logarithm is a relative one of the sum.
//
// Gradients have bounds of the same kind (checkGradients).
//
// Classes are checked apart: the same sets, except where scores lie closer than fp32 scoring can tell apart; the
// oracle then evaluates with the classes that the target used.
#pragma once

#include "tercet/dialect/reference/Evaluate.h"

#include <string>
#include <vector>

namespace tercet::reference {

struct CheckOptions {
  /// What q and k were multiplied with against unit-variance data; decides between fixed and relative bounds.
  double inputScale = 1;
  /// The rows to compare; absent: all. Rows name the class rows that are compared, too.
  std::optional<std::vector<RowIndex>> rows;
  /// What the target rounds probabilities to before they meet V.
  DType probabilities = DType::f32;
  /// Equal scores must go to the lowest index: for inputs whose scores are exact in fp32.
  bool exactTies = false;
  ParallelFor parallelFor;
};

/// One measured number and the most it may be.
struct Measure {
  double value = 0, bound = 0;
  bool passed() const { return value <= bound; } ///< false where value is NaN
};

/// One output against the oracle.
struct OutputVerdict {
  std::string name; ///< "o", "lse", or that of a gradient
  int64_t elements = 0;
  Measure relativeL2, maxError, meanError;
  Measure normError;     ///< |norm / norm of what is right - 1|; of gradients, else 0 of 0
  int64_t nonFinite = 0; ///< elements that are infinite or NaN on one side only; legal: 0
  std::string worst;     ///< where the largest error is, what was got and what is right
  bool passed() const {
    return nonFinite == 0 && relativeL2.passed() && maxError.passed() && meanError.passed() && normError.passed();
  }
};

/// The classes of a target against the oracle's selection.
struct ClassVerdict {
  int64_t blocks = 0;    ///< compared
  int64_t different = 0; ///< blocks of another class than the oracle's, excused or not
  int64_t wrongRows = 0; ///< rows (or wider scopes) that no rounding near a rank or a cut excuses; legal: 0
  std::string first;     ///< the first wrong row and why
  bool passed() const { return wrongRows == 0; }
};

struct Verdict {
  bool passed = false;
  std::vector<OutputVerdict> outputs;
  std::optional<ClassVerdict> classes; ///< absent where the target gave none, or got them handed in
  std::string reason;                  ///< one sentence on what failed; empty when passed
};

/// Compares `got` (o; optionally lse and classes, as reference::run takes them) with the oracle on `inputs`. When
/// `inputs` hold classes those are used and `got` must hold the same resolved map; else those of `got`; else the
/// oracle's own. Errors are those of evaluate and of output tensors of another shape; a wrong result is not an error
/// but a Verdict.
Result<Verdict> checkOutputs(const Program &program, const Arguments &inputs, const Arguments &got,
                             const CheckOptions &options = {});

/// Compares gradients among `got`, named as in Gradients.h, with the oracle's on `inputs`, which hold `do`. Relative L2 <=
/// 1e-5 for a compute dtype of f32 and <= 1e-2 for f16 and bf16, but at least the plain bound, for a gradient may be a
/// difference of equal numbers; norms within 0.02, or twice the plain evaluation's error; the rest as for outputs. Classes are those of `inputs`, else of `got`, else
/// the oracle's own. All rows take part. Errors as runGradients.
Result<Verdict> checkGradients(const Program &program, const Arguments &inputs, const Arguments &got,
                               const CheckOptions &options = {});

/// A table of a verdict's numbers and bounds, one line per output.
std::string describe(const Verdict &verdict);

} // namespace tercet::reference
