// Evaluate: resolves the rows and classes of a call, then evaluates head by head.
#include "tercet/dialect/reference/Evaluate.h"

#include "HeadEvaluator.h"

namespace tercet::reference {
namespace {

/// Which entries of Evaluation::rows belong to one head.
struct HeadRows {
  int64_t batch = 0, head = 0;
  std::vector<size_t> slots;
};

Result<std::vector<RowIndex>> resolveRows(const CallSizes &sizes, const EvaluateOptions &options) {
  if (options.rows) {
    for (const RowIndex &row : *options.rows)
      if (row.batch < 0 || row.batch >= sizes.batch || row.head < 0 || row.head >= sizes.headsQ || row.row < 0 ||
          row.row >= sizes.tokensQ)
        return Status::make(Code::invalidArgument, "row ({}, {}, {}) lies outside of [{}, {}, {}]", row.batch, row.head,
                            row.row, sizes.batch, sizes.headsQ, sizes.tokensQ);
    return *options.rows;
  }
  return allRows(sizes);
}

std::vector<HeadRows> groupByHead(const std::vector<RowIndex> &rows) {
  std::map<std::pair<int64_t, int64_t>, HeadRows> heads;
  for (size_t slot = 0; slot < rows.size(); ++slot) {
    HeadRows &head = heads[{rows[slot].batch, rows[slot].head}];
    head.batch = rows[slot].batch;
    head.head = rows[slot].head;
    head.slots.push_back(slot);
  }
  std::vector<HeadRows> list;
  for (auto &[key, head] : heads)
    list.push_back(std::move(head));
  return list;
}

template <typename Real>
void evaluateHead(const Program &program, const Operands &operands, const HeadRows &head, DType probabilities,
                  int order, const Classification &classification, Evaluation &evaluation) {
  HeadTokens<Real> tokens(program, operands, head.batch, head.head, order);
  // Every order rounds probabilities elsewhere in their octave.
  Real lag = static_cast<Real>(order) * std::log(Real(2)) / static_cast<Real>(EvaluateOptions::plainOrders);
  HeadEvaluator<Real> evaluator(tokens, probabilities, lag);
  int64_t valueDim = evaluation.sizes.valueDim;
  for (size_t slot : head.slots) {
    int64_t row = evaluation.rows[slot].row;
    std::vector<Row<Real>> results =
        evaluator.evaluate(row, classification.blocksOf(operands, head.batch, head.head, row));
    for (size_t index = 0; index < results.size(); ++index) {
      BranchRows &branch = evaluation.branches[index];
      std::copy(results[index].o.begin(), results[index].o.end(), branch.o.begin() + slot * valueDim);
      if (!branch.lse.empty())
        branch.lse[slot] = results[index].lse;
    }
  }
}

} // namespace

Result<ClassMap> selectClasses(const Program &program, const Arguments &arguments, const ParallelFor &parallelFor) {
  TERCET_TRY(Operands operands, bindOperands(program, arguments, nullptr));
  if (!program.selection)
    return Status::make(Code::invalidArgument, "{} has no classification, so it has no classes", program.name);
  return std::move(classifyRows(program, operands, allRows(operands.sizes), parallelFor).classes);
}

Result<Evaluation> evaluate(const Program &program, const Arguments &arguments, const EvaluateOptions &options) {
  TERCET_TRY(Operands operands, bindOperands(program, arguments, options.classes));
  Evaluation evaluation;
  evaluation.sizes = operands.sizes;
  TERCET_TRY(evaluation.rows, resolveRows(operands.sizes, options));
  evaluation.output = program.output;
  const CallSizes &sizes = evaluation.sizes;
  Classification classification = classifyRows(program, operands, evaluation.rows, options.parallelFor);
  for (size_t index = 0; index < program.branches.size(); ++index) {
    BranchRows branch{program.branches[index].name, {}, {}};
    branch.o.resize(evaluation.rows.size() * sizes.valueDim);
    if (program.hasLse(index))
      branch.lse.resize(evaluation.rows.size());
    evaluation.branches.push_back(std::move(branch));
  }
  std::vector<HeadRows> heads = groupByHead(evaluation.rows);
  forEachItem(options.parallelFor, heads.size(), [&](int64_t item, int) {
    if (options.plain)
      evaluateHead<float>(program, operands, heads[item], options.probabilities, options.order, classification,
                          evaluation);
    else
      evaluateHead<double>(program, operands, heads[item], DType::f64, /*order=*/0, classification, evaluation);
  });
  evaluation.classes = std::move(classification.classes);
  return evaluation;
}

} // namespace tercet::reference
