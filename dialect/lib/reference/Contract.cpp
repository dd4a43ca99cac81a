// The numerics contract: evaluates what is right and what a plain low-precision evaluation gives, and compares.
#include "tercet/dialect/reference/Contract.h"

#include "ClassCheck.h"
#include "Comparison.h"
#include "Outputs.h"

#include <algorithm>

namespace tercet::reference {
namespace {

double fixedBound(DType dtype) { return dtype == DType::f16 || dtype == DType::bf16 ? 4e-3 : 1e-5; }

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
  // A score region may scale scores as inputs do.
  bool ofRegion = std::any_of(program.branches.begin(), program.branches.end(),
                              [](const Branch &branch) { return branch.score.has_value(); });
  RelativeBound by = options.inputScale > fixedBoundScale ? RelativeBound::plain
                     : ofRegion                           ? RelativeBound::larger
                                                          : RelativeBound::fixed;
  // Bounds only grow with the orders, so the rest need not be evaluated once all is within them.
  evaluation.plain = true;
  for (evaluation.order = 0; evaluation.order < EvaluateOptions::plainOrders; ++evaluation.order) {
    TERCET_TRY(Evaluation plain, evaluate(program, inputs, evaluation));
    verdict.outputs.clear();
    for (Comparison &comparison : comparisons) {
      comparison.addPlain(comparison.name == "lse" ? plain.result().lse : plain.result().o);
      verdict.outputs.push_back(comparison.verdict(by));
    }
    if (areSettled(verdict.outputs))
      break;
  }
  bool wrongClasses = verdict.classes && !verdict.classes->passed();
  verdict.reason = wrongClasses ? verdict.classes->first : reasonOf(verdict.outputs);
  verdict.passed = verdict.reason.empty();
  return verdict;
}

std::string describe(const Verdict &verdict) {
  std::string text = verdict.passed ? "passed\n" : fmt::format("failed: {}\n", verdict.reason);
  if (verdict.classes)
    text += fmt::format("classes: {} blocks, {} different, {} wrong rows\n", verdict.classes->blocks,
                        verdict.classes->different, verdict.classes->wrongRows);
  for (const OutputVerdict &output : verdict.outputs) {
    text += fmt::format("{}: relative L2 {:.3g} (bound {:.3g}), max {:.3g} ({:.3g}), mean {:.3g} ({:.3g})", output.name,
                        output.relativeL2.value, output.relativeL2.bound, output.maxError.value, output.maxError.bound,
                        output.meanError.value, output.meanError.bound);
    if (output.normError.bound > 0)
      text += fmt::format(", norm {:.3g} ({:.3g})", output.normError.value, output.normError.bound);
    text += fmt::format("; worst {}\n", output.worst);
  }
  return text;
}

} // namespace tercet::reference
