// Sampled scores: anti-diagonals of groups of tokens, as shares of a row.
#include "Scores.h"

#include <algorithm>

namespace tercet::reference {
namespace {

/// The groups of a block: of its valid tokens, in their order, `stride` at a time.
struct BlockGroups {
  std::vector<int64_t> tokens;
  int64_t stride;
  int64_t count() const { return (static_cast<int64_t>(tokens.size()) + stride - 1) / stride; }
  /// The token at place t of group `group`; -1 where it has none.
  int64_t token(int64_t group, int64_t t) const {
    auto place = static_cast<size_t>(group * stride + t);
    return place < tokens.size() ? tokens[place] : -1;
  }
};

class SampledScores final : public HeadScores {
public:
  SampledScores(const Program &program, const Operands &operands, int64_t batch, int64_t head)
      : q(loadTokens(operands.q, batch, head, operands.lengthQ(batch))),
        k(loadTokens(operands.k, batch, operands.kvHead(head), operands.lengthK(batch))),
        stride(program.selection->scores.stride), factor(scoreScale(program, operands) / static_cast<double>(stride)),
        normQ(normsOf(q)), normK(normsOf(k)), queryBlocks(groupsOf(operands.queryBlocks, q.rows)),
        keyBlocks(groupsOf(operands.keyBlocks, k.rows)) {}

  ScoreRow row(int64_t queryBlock, const std::vector<Coverage> &coverage) const override {
    return rowOfShares(coverage.size(), [&](ScoreRow &row) {
      for (int64_t r = 0; r < queryBlocks[queryBlock].count(); ++r)
        addGroup(queryBlocks[queryBlock], r, coverage, row);
    });
  }

private:
  Matrix<double> q, k;
  int64_t stride;
  double factor;
  std::vector<double> normQ, normK;
  std::vector<BlockGroups> queryBlocks, keyBlocks;

  static std::vector<double> normsOf(const Matrix<double> &tokens) {
    std::vector<double> norms;
    for (int64_t t = 0; t < tokens.rows; ++t)
      norms.push_back(normOf(tokens[t], tokens.columns));
    return norms;
  }

  std::vector<BlockGroups> groupsOf(const TokenBlocks &blocks, int64_t length) const {
    std::vector<BlockGroups> groups;
    for (int64_t block = 0; block < blocks.count(); ++block)
      groups.push_back({blocks.valid(block, length), stride});
    return groups;
  }

  /// The logit of a pair of groups, and how far a target's may be off.
  std::pair<double, double> product(const BlockGroups &queries, int64_t queryGroup, const BlockGroups &keys,
                                    int64_t keyGroup) const {
    double sum = 0, size = 0;
    for (int64_t t = 0; t < stride; ++t) {
      int64_t row = queries.token(queryGroup, stride - 1 - t), key = keys.token(keyGroup, t);
      if (row < 0 || key < 0)
        continue;
      sum += dotProduct(q[row], k[key], k.columns);
      size += normQ[row] * normK[key];
    }
    return {factor * sum, factor * scoreTolerance * size};
  }

  /// Adds the shares of one query group of a block to the block's row.
  void addGroup(const BlockGroups &queries, int64_t queryGroup, const std::vector<Coverage> &coverage,
                ScoreRow &row) const {
    struct Logit {
      size_t block;
      double value;
    };
    std::vector<Logit> logits;
    double top = -HUGE_VAL, slack = 0, sum = 0;
    for (size_t block = 0; block < keyBlocks.size(); ++block)
      for (int64_t c = 0; c < keyBlocks[block].count() && coverage[block] != Coverage::empty; ++c) {
        auto [logit, off] = product(queries, queryGroup, keyBlocks[block], c);
        logits.push_back({block, std::isnan(logit) ? -HUGE_VAL : logit});
        top = std::max(top, logits.back().value);
        slack = std::max(slack, off);
      }
    auto weight = [&](double logit) { return logit == -HUGE_VAL ? 0.0 : logit == top ? 1.0 : std::exp(logit - top); };
    for (const Logit &logit : logits)
      sum += weight(logit.value);
    for (const Logit &logit : logits) {
      double share = sum > 0 ? weight(logit.value) / sum / static_cast<double>(queries.count()) : 0;
      row.scores[logit.block] += share;
      row.scoreSlack[logit.block] += share * (2 * slack + shareTolerance);
    }
  }
};

} // namespace

std::unique_ptr<HeadScores> makeSampledScores(const Program &program, const Operands &operands, int64_t batch,
                                              int64_t head) {
  return std::make_unique<SampledScores>(program, operands, batch, head);
}

} // namespace tercet::reference
