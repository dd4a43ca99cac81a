// The numerics contract: evaluates what is right and what a plain low-precision evaluation gives, and compares.
#include "tercet/dialect/reference/Contract.h"

#include "ClassCheck.h"
#include "ErrorMeasure.h"
#include "Outputs.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace tercet::reference {
namespace {

/// The largest input scale at which the fixed bounds hold; beyond it, softmax amplifies every rounding of a score.
constexpr double fixedBoundScale = 4;
constexpr double plainMaxFactor = 2, plainMeanFactor = 1.25;

double fixedBound(DType dtype) { return dtype == DType::f16 || dtype == DType::bf16 ? 4e-3 : 1e-5; }

/// One output: what was got and what is right, element by element, and the errors of the plain evaluation.
struct Comparison {
  std::string name;
  DType dtype = DType::f32;    ///< what the output is stored in
  double fixed = 0;            ///< bound of the relative error at small scales
  double denominatorFloor = 0; ///< see measureErrors
  std::vector<double> got, right;
  ErrorStats plain; ///< the largest of all orders that were added
  std::function<std::string(size_t)> where;

  /// Takes the errors of one more plain evaluation.
  void addPlain(std::vector<double> values) {
    for (double &value : values)
      value = roundedTo(dtype, value);
    ErrorStats errors = measureErrors(values, right, dtype, denominatorFloor);
    plain.relativeL2 = std::max(plain.relativeL2, errors.relativeL2);
    plain.max = std::max(plain.max, errors.max);
    plain.mean = std::max(plain.mean, errors.mean);
  }

  /// ofRegion: scores passed a region, which may scale them as inputs do.
  OutputVerdict verdict(double inputScale, bool ofRegion) const {
    ErrorStats errors = measureErrors(got, right, dtype, denominatorFloor);
    RoundingFloor floor = roundingFloor(right, dtype, denominatorFloor);
    OutputVerdict verdict{.name = name, .elements = static_cast<int64_t>(right.size()), .nonFinite = errors.nonFinite};
    double relative = plainMaxFactor * plain.relativeL2 + floor.relativeL2;
    if (inputScale <= fixedBoundScale)
      relative = ofRegion ? std::max(fixed, relative) : fixed;
    verdict.relativeL2 = {errors.relativeL2, relative};
    verdict.maxError = {errors.max, plainMaxFactor * plain.max + floor.max};
    verdict.meanError = {errors.mean, plainMeanFactor * plain.mean + floor.mean};
    if (!right.empty())
      verdict.worst =
          fmt::format("{}: got {:.9g}, expected {:.9g}", where(errors.worst), got[errors.worst], right[errors.worst]);
    return verdict;
  }
};

Comparison compareO(const Evaluation &right, const Tensor &o) {
  Comparison comparison{.name = "o", .dtype = o.dtype, .fixed = fixedBound(o.dtype), .right = right.result().o};
  int64_t valueDim = right.sizes.valueDim;
  for (const RowIndex &at : right.rows)
    for (int64_t c = 0; c < valueDim; ++c)
      comparison.got.push_back(o.get(at.batch, at.head, at.row, c));
  comparison.where = [&right, valueDim](size_t index) {
    const RowIndex &at = right.rows[index / valueDim];
    return fmt::format("o[{}, {}, {}, {}]", at.batch, at.head, at.row, index % valueDim);
  };
  return comparison;
}

Comparison compareLse(const Evaluation &right, const Tensor &lse) {
  Comparison comparison{.name = "lse",
                        .dtype = lse.dtype,
                        .fixed = fixedBound(DType::f32),
                        .denominatorFloor = 1,
                        .right = right.result().lse};
  for (const RowIndex &at : right.rows)
    comparison.got.push_back(lse.get(at.batch, at.head, at.row));
  comparison.where = [&right](size_t index) {
    const RowIndex &at = right.rows[index];
    return fmt::format("lse[{}, {}, {}]", at.batch, at.head, at.row);
  };
  return comparison;
}

/// Whether the oracle can evaluate with these classes: a target that wrote none of them has failed already.
bool areClasses(const Tensor &classes) {
  for (int64_t b = 0; b < classes.shape[0]; ++b)
    for (int64_t h = 0; h < classes.shape[1]; ++h)
      for (int64_t i = 0; i < classes.shape[2]; ++i)
        for (int64_t j = 0; j < classes.shape[3]; ++j)
          if (double value = classes.get(b, h, i, j); value < -1 || value > 1)
            return false;
  return true;
}

std::string reasonOf(const Verdict &verdict) {
  if (verdict.classes && !verdict.classes->passed())
    return verdict.classes->first;
  for (const OutputVerdict &output : verdict.outputs) {
    if (output.nonFinite)
      return fmt::format("{} elements of {} are finite on one side only; first {}", output.nonFinite, output.name,
                         output.worst);
    for (auto [name, measure] : {std::pair{"relative L2 error", output.relativeL2},
                                 {"largest error", output.maxError},
                                 {"mean error", output.meanError}})
      if (!measure.passed())
        return fmt::format("the {} of {} is {:.3g}, the bound {:.3g}; worst {}", name, output.name, measure.value,
                           measure.bound, output.worst);
  }
  return {};
}

} // namespace

Result<Verdict> checkOutputs(const Program &program, const Arguments &inputs, const Arguments &got,
                             const CheckOptions &options) {
  TERCET_TRY(Operands operands, bindOperands(program, inputs, nullptr));
  TERCET_TRY(Outputs outputs, bindOutputs(program, operands.sizes, got));
  bool usesTheirs = outputs.classes && !operands.classes && areClasses(outputs.classes);
  EvaluateOptions evaluation{.rows = options.rows,
                             .probabilities = options.probabilities,
                             .classes = usesTheirs ? &outputs.classes : nullptr,
                             .parallelFor = options.parallelFor};
  TERCET_TRY(Evaluation right, evaluate(program, inputs, evaluation));
  std::vector<Comparison> comparisons;
  if (outputs.o)
    comparisons.push_back(compareO(right, outputs.o));
  if (outputs.lse)
    comparisons.push_back(compareLse(right, outputs.lse));
  Verdict verdict;
  if (outputs.classes)
    verdict.classes = checkClassMap(program, operands, right.rows, outputs.classes, options.exactTies);
  bool ofRegion = std::any_of(program.branches.begin(), program.branches.end(),
                              [](const Branch &branch) { return branch.score.has_value(); });
  // Bounds only grow with the orders, so the rest need not be evaluated once all is within them.
  evaluation.plain = true;
  for (evaluation.order = 0; evaluation.order < EvaluateOptions::plainOrders; ++evaluation.order) {
    TERCET_TRY(Evaluation plain, evaluate(program, inputs, evaluation));
    verdict.outputs.clear();
    for (Comparison &comparison : comparisons) {
      comparison.addPlain(comparison.name == "lse" ? plain.result().lse : plain.result().o);
      verdict.outputs.push_back(comparison.verdict(options.inputScale, ofRegion));
    }
    if (std::all_of(verdict.outputs.begin(), verdict.outputs.end(),
                    [](const OutputVerdict &output) { return output.passed() || output.nonFinite > 0; }))
      break;
  }
  verdict.reason = reasonOf(verdict);
  verdict.passed = verdict.reason.empty();
  return verdict;
}

std::string describe(const Verdict &verdict) {
  std::string text = verdict.passed ? "passed\n" : fmt::format("failed: {}\n", verdict.reason);
  if (verdict.classes)
    text += fmt::format("classes: {} blocks, {} different, {} wrong rows\n", verdict.classes->blocks,
                        verdict.classes->different, verdict.classes->wrongRows);
  for (const OutputVerdict &output : verdict.outputs)
    text += fmt::format("{}: relative L2 {:.3g} (bound {:.3g}), max {:.3g} ({:.3g}), mean {:.3g} ({:.3g}); worst {}\n",
                        output.name, output.relativeL2.value, output.relativeL2.bound, output.maxError.value,
                        output.maxError.bound, output.meanError.value, output.meanError.bound, output.worst);
  return text;
}

} // namespace tercet::reference
