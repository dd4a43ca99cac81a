// Shares of a row, and scores handed in.
#include "Scores.h"

#include <algorithm>

namespace tercet::reference {
namespace {

class GivenScores final : public HeadScores {
public:
  GivenScores(const Tensor &table, int64_t batch, int64_t head) : table(table), batch(batch), head(head) {}

  ScoreRow row(int64_t queryBlock, const std::vector<Coverage> &coverage) const override {
    ScoreRow row;
    auto within = [&](int axis, int64_t index) { return std::min(index, table.shape[axis] - 1); };
    for (size_t j = 0; j < coverage.size(); ++j)
      row.scores.push_back(
          table.get(within(0, batch), within(1, head), within(2, queryBlock), within(3, static_cast<int64_t>(j))));
    row.scoreSlack.resize(row.scores.size());
    addShares(row, coverage);
    return row;
  }

private:
  const Tensor table;
  int64_t batch, head;
};

} // namespace

Matrix<double> loadTokens(const Tensor &tokens, int64_t batch, int64_t head, int64_t length) {
  Matrix<double> rows(length, tokens.shape[3]);
  for (int64_t t = 0; t < rows.rows; ++t)
    for (int64_t c = 0; c < rows.columns; ++c)
      rows[t][c] = tokens.get(batch, head, t, c);
  return rows;
}

double scoreScale(const Program &program, const Operands &operands) {
  for (const Branch &branch : program.branches)
    if ((branch.kind == Branch::Kind::sparse || branch.kind == Branch::Kind::blockMean) && branch.classes != everyClass)
      return operands.scale(branch.scale);
  return 1 / std::sqrt(static_cast<double>(operands.sizes.headDim));
}

void addShares(ScoreRow &row, const std::vector<Coverage> &coverage) {
  constexpr double lowest = std::numeric_limits<double>::lowest();
  double top = lowest, slack = 0, sum = 0;
  for (size_t j = 0; j < row.scores.size(); ++j) {
    row.scores[j] = std::isnan(row.scores[j]) ? -HUGE_VAL : std::max(row.scores[j], lowest);
    if (coverage[j] == Coverage::empty)
      continue;
    top = std::max(top, row.scores[j]);
    slack = std::max(slack, row.scoreSlack[j]);
  }
  for (size_t j = 0; j < row.scores.size(); ++j) {
    double score = row.scores[j];
    bool isEmpty = coverage[j] == Coverage::empty;
    row.shares.push_back(isEmpty || score <= lowest ? 0 : score == top ? 1 : std::exp(score - top));
    sum += row.shares.back();
  }
  for (size_t j = 0; j < row.shares.size(); ++j) {
    row.shares[j] = sum > 0 ? row.shares[j] / sum : 0;
    row.shareSlack.push_back(row.shares[j] * (row.scoreSlack[j] + slack + shareTolerance) + smallestShare);
  }
}

std::unique_ptr<HeadScores> HeadScores::make(const Program &program, const Operands &operands, int64_t batch,
                                             int64_t head) {
  switch (program.selection->scores.kind) {
  case ScoreSource::Kind::pooled:
    return makePooledScores(program, operands, batch, head);
  case ScoreSource::Kind::sampled:
    return makeSampledScores(program, operands, batch, head);
  case ScoreSource::Kind::compressed:
    return makeCompressedScores(program, operands, batch, head);
  case ScoreSource::Kind::given:
    return std::make_unique<GivenScores>(*operands.arguments->find(program.selection->scores.table), batch, head);
  case ScoreSource::Kind::none:
    break;
  }
  return nullptr;
}

} // namespace tercet::reference
