// Compressed scores: what a softmax over pools of keys gives to the tokens of a block.
#include "HeadTokens.h"
#include "Scores.h"

#include <algorithm>

namespace tercet::reference {
namespace {

/// A pool of keys: the first of its tokens and the one behind the last, its key, and by how much each feature of a target's key may be off.
/// That is next to nothing but where the sum lies so close to the middle between two numbers of the dtype that fp32 may round it the other way.
struct Pool {
  int64_t first, end;
  std::vector<double> key, slack;
};

class CompressedScores final : public HeadScores {
public:
  CompressedScores(const Program &program, const Operands &operands, int64_t batch, int64_t head)
      : q(loadTokens(operands.q, batch, head, operands.lengthQ(batch))),
        scale(operands.scale(program.selection->scores.scale)), queryBlocks(operands.queryBlocks),
        blockK(program.selection->blockK) {
    const ScoreSource &scores = program.selection->scores;
    if (scores.where)
      where = std::make_unique<PairEvaluator>(program, *scores.where, operands, batch, head);
    Matrix<double> k = loadTokens(operands.k, batch, operands.kvHead(head), operands.lengthK(batch));
    Tensor weights;
    if (!scores.pools.keyWeights.empty())
      weights = *operands.arguments->find(scores.pools.keyWeights);
    for (int64_t first = 0; first < k.rows; first += scores.pools.stride)
      pools.push_back(poolOf(k, first, std::min(first + scores.pools.length, k.rows), weights, operands.kvHead(head),
                             operands.sizes.dtype));
  }

  ScoreRow row(int64_t queryBlock, const std::vector<Coverage> &coverage) const override {
    return rowOfShares(coverage.size(), [&](ScoreRow &row) {
      std::vector<int64_t> queries = queryBlocks.valid(queryBlock, q.rows);
      for (int64_t query : queries)
        addQuery(query, 1 / static_cast<double>(queries.size()), row);
    });
  }

private:
  Matrix<double> q;
  double scale;
  const TokenBlocks &queryBlocks;
  int64_t blockK;
  std::unique_ptr<PairEvaluator> where; ///< null: every query sees every pool
  std::vector<Pool> pools;

  static Pool poolOf(const Matrix<double> &k, int64_t first, int64_t end, const Tensor &weights, int64_t head,
                     DType dtype) {
    Pool pool{first, end, {}, {}};
    auto count = static_cast<double>(end - first);
    for (int64_t c = 0; c < k.columns; ++c) {
      double sum = 0, size = 0;
      for (int64_t t = first; t < end; ++t) {
        double weight =
            weights ? weights.get(std::min(head, weights.shape[0] - 1), std::min(t - first, weights.shape[1] - 1))
                    : 1 / count;
        sum += weight * k[t][c];
        size += std::abs(weight * k[t][c]);
      }
      constexpr double unit = 0x1p-24;
      double off = (count + 1) * unit * size, key = roundTo(dtype, sum);
      pool.key.push_back(key);
      pool.slack.push_back(
          std::max(std::abs(roundTo(dtype, sum + off) - key), std::abs(roundTo(dtype, sum - off) - key)));
    }
    return pool;
  }

  /// Adds `part` of the shares of one query to its block's row.
  void addQuery(int64_t query, double part, ScoreRow &row) const {
    std::vector<double> logits;
    double top = -HUGE_VAL, slack = 0, sum = 0;
    for (size_t c = 0; c < pools.size(); ++c) {
      logits.push_back(-HUGE_VAL);
      if (where && !where->holds(query, static_cast<int64_t>(c)))
        continue;
      const Pool &pool = pools[c];
      double logit = scale * dotProduct(q[query], pool.key.data(), q.columns), off = 0;
      for (int64_t f = 0; f < q.columns; ++f)
        off += std::abs(q[query][f]) * pool.slack[f];
      off += scoreTolerance * normOf(q[query], q.columns) * normOf(pool.key.data(), q.columns);
      logits.back() = std::isnan(logit) ? -HUGE_VAL : logit;
      top = std::max(top, logits.back());
      slack = std::max(slack, scale * off);
    }
    auto weight = [&](double logit) { return logit == -HUGE_VAL ? 0.0 : logit == top ? 1.0 : std::exp(logit - top); };
    for (double logit : logits)
      sum += weight(logit);
    for (size_t c = 0; c < pools.size() && sum > 0; ++c) {
      const Pool &pool = pools[c];
      double ofToken = part * weight(logits[c]) / sum / static_cast<double>(pool.end - pool.first);
      for (int64_t t = pool.first; t < pool.end; ++t) {
        row.scores[t / blockK] += ofToken;
        row.scoreSlack[t / blockK] += ofToken * (2 * slack + shareTolerance);
      }
    }
  }
};

} // namespace

std::unique_ptr<HeadScores> makeCompressedScores(const Program &program, const Operands &operands, int64_t batch,
                                                 int64_t head) {
  return std::make_unique<CompressedScores>(program, operands, batch, head);
}

} // namespace tercet::reference
