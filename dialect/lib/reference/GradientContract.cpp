// The numerics contract of gradients: as that of outputs, with bounds of their own.
#include "ClassCheck.h"
#include "Comparison.h"
#include "GradientOutputs.h"

#include <fmt/ranges.h>

#include <algorithm>

namespace tercet::reference {
namespace {

constexpr double normBound = 0.02;

double gradientBound(DType dtype) { return dtype == DType::f16 || dtype == DType::bf16 ? 1e-2 : 1e-5; }

Comparison compare(const Gradient &right, const Tensor &got, DType computeDType, int fraction) {
  Comparison comparison{.name = right.name,
                        .dtype = got.dtype,
                        .fraction = fraction,
                        .fixed = gradientBound(computeDType),
                        .normBound = normBound,
                        .right = right.values};
  const auto &shape = got.shape;
  for (int64_t i0 = 0; i0 < shape[0]; ++i0)
    for (int64_t i1 = 0; i1 < shape[1]; ++i1)
      for (int64_t i2 = 0; i2 < shape[2]; ++i2)
        for (int64_t i3 = 0; i3 < shape[3]; ++i3)
          comparison.got.push_back(got.get(i0, i1, i2, i3));
  comparison.where = [&right](size_t index) {
    std::vector<int64_t> at(right.shape.size());
    for (size_t axis = at.size(); axis-- > 0; index /= right.shape[axis])
      at[axis] = static_cast<int64_t>(index) % right.shape[axis];
    return fmt::format("{}[{}]", right.name, fmt::join(at, ", "));
  };
  return comparison;
}

} // namespace

Result<Verdict> checkGradients(const Program &program, const Arguments &inputs, const Arguments &got,
                               const CheckOptions &options) {
  TERCET_TRY(CallSizes sizes, checkGradientArguments(program, inputs));
  TERCET_TRY(NamedGradients bound, bindGradients(program, sizes, inputs, got));
  const Tensor *given = inputs.find("classes"), *theirs = got.find("classes");
  bool usesTheirs = program.selection && theirs && *theirs && !(given && *given) && areClasses(*theirs);
  GradientOptions evaluation{.probabilities = options.probabilities,
                             .classes = usesTheirs ? theirs : nullptr,
                             .parallelFor = options.parallelFor};
  TERCET_TRY(Gradients right, differentiate(program, inputs, evaluation));
  std::vector<Comparison> comparisons;
  // What rounds probabilities to 16 bits has matrix units for 16-bit operands: f32 ones of a linear branch are pairs there.
  bool inPairs = options.probabilities == DType::f16 || options.probabilities == DType::bf16;
  for (const auto &[name, tensor] : bound) {
    const auto &weights = program.weights;
    bool ofMatrix = tensor.rank == 2 && std::find(weights.begin(), weights.end(), name.substr(1)) != weights.end();
    comparisons.push_back(
        compare(*right.find(name), tensor, sizes.dtype, inPairs && ofMatrix ? fractionOfPairs : fractionOfF32));
  }
  RelativeBound by = options.inputScale > fixedBoundScale ? RelativeBound::plain : RelativeBound::larger;
  Verdict verdict;
  evaluation.plain = true;
  for (evaluation.order = 0; evaluation.order < EvaluateOptions::plainOrders; ++evaluation.order) {
    TERCET_TRY(Gradients plain, differentiate(program, inputs, evaluation));
    verdict.outputs.clear();
    for (Comparison &comparison : comparisons) {
      comparison.addPlain(plain.find(comparison.name)->values);
      verdict.outputs.push_back(comparison.verdict(by));
    }
    if (areSettled(verdict.outputs))
      break;
  }
  verdict.reason = reasonOf(verdict.outputs);
  verdict.passed = verdict.reason.empty();
  return verdict;
}

} // namespace tercet::reference
