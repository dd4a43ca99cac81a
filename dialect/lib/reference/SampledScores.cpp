// Sampled scores: anti-diagonals of groups of tokens, as shares of a row.
#include "Scores.h"

#include <algorithm>

namespace tercet::reference {
namespace {

class SampledScores final : public HeadScores {
public:
  SampledScores(const Program &program, const Operands &operands, int64_t batch, int64_t head)
      : q(loadTokens(operands.q, batch, head, operands.lengthQ(batch))),
        k(loadTokens(operands.k, batch, operands.kvHead(head), operands.lengthK(batch))),
        stride(program.selection->scores.stride), groupsPerQ(program.selection->blockQ / stride),
        groupsPerK(program.selection->blockK / stride),
        factor(scoreScale(program, operands) / static_cast<double>(stride)), normQ(normsOf(q)), normK(normsOf(k)) {}

  ScoreRow row(int64_t queryBlock, const std::vector<Coverage> &coverage) const override {
    ScoreRow row;
    row.scores.resize(coverage.size());
    row.scoreSlack.resize(coverage.size());
    int64_t first = queryBlock * groupsPerQ, end = std::min(first + groupsPerQ, groupsOf(q));
    for (int64_t r = first; r < end; ++r)
      addGroup(r, static_cast<double>(end - first), coverage, row);
    for (double &slack : row.scoreSlack)
      slack += smallestShare;
    row.shares = row.scores;
    row.shareSlack = row.scoreSlack;
    return row;
  }

private:
  Matrix<double> q, k;
  int64_t stride, groupsPerQ, groupsPerK;
  double factor;
  std::vector<double> normQ, normK;

  static std::vector<double> normsOf(const Matrix<double> &tokens) {
    std::vector<double> norms;
    for (int64_t t = 0; t < tokens.rows; ++t)
      norms.push_back(normOf(tokens[t], tokens.columns));
    return norms;
  }

  int64_t groupsOf(const Matrix<double> &tokens) const { return (tokens.rows + stride - 1) / stride; }

  /// The logit of a pair of groups, and how far a target's may be off.
  std::pair<double, double> product(int64_t queryGroup, int64_t keyGroup) const {
    double sum = 0, size = 0;
    for (int64_t t = 0; t < stride; ++t) {
      int64_t row = queryGroup * stride + stride - 1 - t, key = keyGroup * stride + t;
      if (row >= q.rows || key >= k.rows)
        continue;
      sum += dotProduct(q[row], k[key], k.columns);
      size += normQ[row] * normK[key];
    }
    return {factor * sum, factor * scoreTolerance * size};
  }

  /// Adds the shares of one query group to the row of its block, as one of `groups`.
  void addGroup(int64_t queryGroup, double groups, const std::vector<Coverage> &coverage, ScoreRow &row) const {
    std::vector<double> logits(groupsOf(k), -HUGE_VAL);
    double top = -HUGE_VAL, slack = 0, sum = 0;
    for (int64_t c = 0; c < groupsOf(k); ++c) {
      if (coverage[c / groupsPerK] == Coverage::empty)
        continue;
      auto [logit, off] = product(queryGroup, c);
      logits[c] = std::isnan(logit) ? -HUGE_VAL : logit;
      top = std::max(top, logits[c]);
      slack = std::max(slack, off);
    }
    auto weight = [&](int64_t c) {
      return logits[c] == -HUGE_VAL ? 0.0 : logits[c] == top ? 1.0 : std::exp(logits[c] - top);
    };
    for (int64_t c = 0; c < groupsOf(k); ++c)
      sum += weight(c);
    for (int64_t c = 0; c < groupsOf(k) && sum > 0; ++c) {
      double share = weight(c) / sum / groups;
      row.scores[c / groupsPerK] += share;
      row.scoreSlack[c / groupsPerK] += share * (2 * slack + shareTolerance);
    }
  }
};

} // namespace

std::unique_ptr<HeadScores> makeSampledScores(const Program &program, const Operands &operands, int64_t batch,
                                              int64_t head) {
  return std::make_unique<SampledScores>(program, operands, batch, head);
}

} // namespace tercet::reference
