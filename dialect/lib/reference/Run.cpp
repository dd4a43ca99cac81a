// Run: the oracle as a target. Evaluates every row and writes the outputs.
#include "Outputs.h"

#include <algorithm>
#include <initializer_list>

namespace tercet::reference {
namespace {

Status checkOutput(std::string_view name, const Tensor &tensor, std::initializer_list<int64_t> shape,
                   std::initializer_list<DType> dtypes) {
  Tensor legal = Tensor::contiguous(nullptr, *dtypes.begin(), shape);
  bool fits = tensor.rank == legal.rank && tensor.shape == legal.shape &&
              std::find(dtypes.begin(), dtypes.end(), tensor.dtype) != dtypes.end();
  if (fits)
    return {};
  return Status::make(Code::invalidArgument, "{} is {}; expected {}", name, tensor.describe(), legal.describe());
}

} // namespace

Result<Outputs> bindOutputs(const Program &program, const CallSizes &sizes, const Arguments &outputs) {
  Outputs bound;
  for (auto [name, slot] : {std::pair{"o", &bound.o}, {"lse", &bound.lse}, {"classes", &bound.classes}})
    if (const Tensor *tensor = outputs.find(name); tensor && *tensor)
      *slot = *tensor;
  if (!bound.o && !bound.lse && !bound.classes)
    return Status::make(Code::invalidArgument, "no output is given; expected o, lse or classes");
  if (bound.o)
    TERCET_RETURN_IF_ERROR(checkOutput("o", bound.o, {sizes.batch, sizes.headsQ, sizes.tokensQ, sizes.valueDim},
                                       {sizes.dtype, DType::f32, DType::f64}));
  if (bound.lse && !program.hasLse(program.output))
    return Status::make(Code::invalidArgument, "{} has no softmax branch, so it has no lse", program.name);
  if (bound.lse)
    TERCET_RETURN_IF_ERROR(
        checkOutput("lse", bound.lse, {sizes.batch, sizes.headsQ, sizes.tokensQ}, {DType::f32, DType::f64}));
  if (bound.classes && !program.selection)
    return Status::make(Code::invalidArgument, "{} has no classification, so it has no classes", program.name);
  if (bound.classes)
    TERCET_RETURN_IF_ERROR(
        checkOutput("classes", bound.classes, {sizes.batch, sizes.headsQ, sizes.blocksQ, sizes.blocksK}, {DType::i8}));
  return bound;
}

Status run(const Program &program, const Arguments &arguments, const Arguments &outputs,
           const ParallelFor &parallelFor) {
  TERCET_TRY(CallSizes sizes, checkArguments(program, arguments));
  TERCET_TRY(Outputs bound, bindOutputs(program, sizes, outputs));
  TERCET_TRY(Evaluation evaluation, evaluate(program, arguments, {.parallelFor = parallelFor}));
  const BranchRows &result = evaluation.result();
  for (size_t slot = 0; slot < evaluation.rows.size(); ++slot) {
    const RowIndex &at = evaluation.rows[slot];
    if (bound.o)
      for (int64_t c = 0; c < sizes.valueDim; ++c)
        bound.o.set(result.o[slot * sizes.valueDim + c], at.batch, at.head, at.row, c);
    if (bound.lse)
      bound.lse.set(result.lse[slot], at.batch, at.head, at.row);
  }
  if (bound.classes)
    for (int64_t b = 0; b < sizes.batch; ++b)
      for (int64_t h = 0; h < sizes.headsQ; ++h)
        for (int64_t i = 0; i < sizes.blocksQ; ++i)
          for (int64_t j = 0; j < sizes.blocksK; ++j)
            bound.classes.set(evaluation.classes.at(b, h, i, j), b, h, i, j);
  return {};
}

} // namespace tercet::reference
