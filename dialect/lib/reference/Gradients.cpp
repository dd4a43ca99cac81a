// Goes through the KV heads of a call: dK and dV are sums over the query heads of one, in their order.
#include "tercet/dialect/reference/Gradients.h"

#include "HeadGradients.h"

#include <algorithm>

namespace tercet::reference {
namespace {

/// The tables that a region reads as numbers.
void addTables(const std::optional<PairProgram> &region, const Program &program, std::vector<std::string> &names) {
  if (region)
    for (const PairOp &op : region->ops)
      if (op.kind == PairOp::Kind::readNumber)
        names.push_back(program.tables[op.table].name);
}

/// Inputs other than q, k and v that are given.
template <typename Real> TensorSums<Real> otherSums(const Program &program, const Arguments &arguments) {
  TensorSums<Real> sums;
  for (const std::string &name : differentiableInputs(program))
    if (const Tensor *given = arguments.find(name); given && *given && name != "q" && name != "k" && name != "v")
      sums.emplace(name, TensorSum<Real>(*given));
  return sums;
}

Status checkOutputGradient(const Operands &operands, const Tensor *gradient) {
  const CallSizes &sizes = operands.sizes;
  Tensor legal = Tensor::contiguous(nullptr, sizes.dtype, {sizes.batch, sizes.headsQ, sizes.tokensQ, sizes.valueDim});
  if (!gradient || !*gradient)
    return Status::make(Code::invalidArgument, "the tensor do is missing: gradients start from the derivative by o, {}",
                        legal.describe());
  bool isFloat = gradient->dtype != DType::i8 && gradient->dtype != DType::i32;
  if (gradient->rank == legal.rank && gradient->shape == legal.shape && isFloat)
    return {};
  return Status::make(Code::invalidArgument, "do is {}; expected {}, as o", gradient->describe(), legal.describe());
}

/// The gradients of a call under construction. dq, dk, dv and each group's sums of the others are written by one KV head.
struct CallGradients {
  Gradient q{"dq", {}, {}}, k{"dk", {}, {}}, v{"dv", {}, {}};

  static void shape(Gradient &gradient, const Tensor &like) {
    gradient.shape.assign(like.shape.begin(), like.shape.begin() + like.rank);
    gradient.values.assign(like.elements(), 0);
  }

  /// Adds the rows of one head; columnOf: where a column of `rows` belongs.
  template <typename Real, typename Column>
  static void add(Gradient &gradient, int64_t batch, int64_t head, const Matrix<Real> &rows, Column columnOf) {
    double *to = &gradient.values[(batch * gradient.shape[1] + head) * gradient.shape[2] * gradient.shape[3]];
    for (int64_t t = 0; t < rows.rows; ++t)
      for (int64_t c = 0; c < rows.columns; ++c) {
        double &value = to[t * rows.columns + columnOf(c)];
        value = static_cast<Real>(static_cast<Real>(value) + rows[t][c]);
      }
  }
};

/// All query heads of one KV head.
template <typename Real>
void addGroup(const Program &program, const Operands &operands, int64_t batch, int64_t kvHead, const Tensor &outputs,
              const Classification &classification, const GradientOptions &options, CallGradients &gradients,
              TensorSums<Real> &others) {
  constexpr bool isOracle = sizeof(Real) == sizeof(double);
  int64_t perGroup = operands.sizes.headsQ / operands.sizes.headsKV;
  for (int64_t head = kvHead * perGroup; head < (kvHead + 1) * perGroup; ++head) {
    HeadTokens<Real> tokens(program, operands, batch, head, isOracle ? 0 : options.order);
    HeadGradients<Real> of(tokens, isOracle ? DType::f64 : options.probabilities, others);
    for (int64_t row = 0; row < tokens.lengthQ; ++row) {
      std::vector<Real> gradient(tokens.valueDim());
      for (int64_t e = 0; e < tokens.valueDim(); ++e)
        gradient[e] = static_cast<Real>(outputs.get(batch, head, row, e));
      of.addRow(row, classification.blocksOf(operands, batch, head, row), std::move(gradient));
    }
    of.finish();
    auto feature = [&](int64_t c) { return tokens.featureOf(c); };
    CallGradients::add(gradients.q, batch, head, of.dQ, feature);
    CallGradients::add(gradients.k, batch, kvHead, of.dK, feature);
    CallGradients::add(gradients.v, batch, kvHead, of.dV, [](int64_t c) { return c; });
  }
}

template <typename Real>
std::vector<Gradient> differentiateAs(const Program &program, const Operands &operands, const Tensor &outputs,
                                      const Classification &classification, const GradientOptions &options) {
  CallGradients gradients;
  CallGradients::shape(gradients.q, operands.q);
  CallGradients::shape(gradients.k, operands.k);
  CallGradients::shape(gradients.v, operands.v);
  size_t groups = operands.sizes.batch * operands.sizes.headsKV;
  std::vector<TensorSums<Real>> others(groups, otherSums<Real>(program, *operands.arguments));
  forEachItem(options.parallelFor, groups, [&](int64_t group, int) {
    addGroup<Real>(program, operands, group / operands.sizes.headsKV, group % operands.sizes.headsKV, outputs,
                   classification, options, gradients, others[group]);
  });
  std::vector<Gradient> list{std::move(gradients.q), std::move(gradients.k), std::move(gradients.v)};
  for (const std::string &name : differentiableInputs(program))
    if (auto first = others.front().find(name); first != others.front().end()) {
      std::vector<Real> sum = first->second.values;
      for (size_t group = 1; group < groups; ++group)
        addScaled(sum.data(), Real(1), others[group].at(name).values.data(), static_cast<int64_t>(sum.size()));
      const Tensor &like = *operands.arguments->find(name);
      list.push_back({"d" + name, {like.shape.begin(), like.shape.begin() + like.rank}, {sum.begin(), sum.end()}});
    }
  return list;
}

} // namespace

std::vector<std::string> differentiableInputs(const Program &program) {
  std::vector<std::string> names = {"q", "k", "v"}, tables;
  names.insert(names.end(), program.weights.begin(), program.weights.end());
  for (const Branch &branch : program.branches) {
    addTables(branch.score, program, tables);
    addTables(branch.factor, program, tables);
    tables.insert(tables.end(), {branch.pools.keyWeights, branch.pools.valueWeights});
  }
  for (const Table &table : program.tables)
    if (std::find(tables.begin(), tables.end(), table.name) != tables.end())
      names.push_back(table.name);
  return names;
}

DType gradientDType(std::string_view name, DType computeDType) {
  return name == "dq" || name == "dk" || name == "dv" ? computeDType : DType::f32;
}

const Gradient *Gradients::find(std::string_view name) const {
  for (const Gradient &gradient : list)
    if (gradient.name == name)
      return &gradient;
  return nullptr;
}

Result<CallSizes> checkGradientArguments(const Program &program, const Arguments &arguments) {
  TERCET_TRY(Operands operands, bindOperands(program, arguments, nullptr));
  TERCET_RETURN_IF_ERROR(checkOutputGradient(operands, arguments.find("do")));
  return operands.sizes;
}

Result<Gradients> differentiate(const Program &program, const Arguments &arguments, const GradientOptions &options) {
  TERCET_TRY(Operands operands, bindOperands(program, arguments, options.classes));
  const Tensor *outputs = arguments.find("do");
  TERCET_RETURN_IF_ERROR(checkOutputGradient(operands, outputs));
  Classification classification = classifyRows(program, operands, allRows(operands.sizes), options.parallelFor);
  Gradients gradients{.sizes = operands.sizes};
  gradients.list = options.plain ? differentiateAs<float>(program, operands, *outputs, classification, options)
                                 : differentiateAs<double>(program, operands, *outputs, classification, options);
  gradients.classes = std::move(classification.classes);
  return gradients;
}

} // namespace tercet::reference
