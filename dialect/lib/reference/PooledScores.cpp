// Pooled scores: products of block means; centred keys, and the likeness of the tokens of a block.
#include "Scores.h"

#include <algorithm>

namespace tercet::reference {
namespace {

using Rows = Matrix<double>;

/// Means of the rows of each block; 0 where it has none.
Rows meansOf(const Rows &tokens, const TokenBlocks &blocks) {
  Rows means(blocks.count(), tokens.columns);
  for (int64_t i = 0; i < means.rows; ++i) {
    std::vector<int64_t> members = blocks.valid(i, tokens.rows);
    for (int64_t t : members)
      for (int64_t c = 0; c < tokens.columns; ++c)
        means[i][c] += tokens[t][c] / static_cast<double>(members.size());
  }
  return means;
}

/// The mean cosine over all pairs of rows of each block: the squared length of the mean of the normalised rows.
std::vector<double> likenessOf(Rows tokens, const TokenBlocks &blocks) {
  for (int64_t t = 0; t < tokens.rows; ++t)
    if (double norm = normOf(tokens[t], tokens.columns); norm > 0)
      for (int64_t c = 0; c < tokens.columns; ++c)
        tokens[t][c] /= norm;
  Rows means = meansOf(tokens, blocks);
  std::vector<double> likeness;
  for (int64_t i = 0; i < means.rows; ++i)
    likeness.push_back(dotProduct(means[i], means[i], means.columns));
  return likeness;
}

class PooledScores final : public HeadScores {
public:
  PooledScores(const Program &program, const Operands &operands, int64_t batch, int64_t head)
      : scale(scoreScale(program, operands)) {
    const Selection &selection = *program.selection;
    Rows q = loadTokens(operands.q, batch, head, operands.lengthQ(batch));
    Rows k = loadTokens(operands.k, batch, operands.kvHead(head), operands.lengthK(batch));
    Rows sizes = meansOf(k, operands.keyBlocks);
    double centreNorm = 0;
    if (selection.scores.center && k.rows > 0) {
      Rows centre = meansOf(k, TokenBlocks::runs(k.rows, k.rows));
      centreNorm = normOf(centre[0], k.columns);
      for (int64_t t = 0; t < k.rows; ++t)
        for (int64_t c = 0; c < k.columns; ++c)
          k[t][c] -= centre[0][c];
    }
    meanQ = meansOf(q, operands.queryBlocks);
    meanK = meansOf(k, operands.keyBlocks);
    for (int64_t j = 0; j < sizes.rows; ++j) // a centred mean has the rounding errors of what it is the difference of
      sizeK.push_back(normOf(sizes[j], k.columns) + centreNorm);
    if (selection.scores.guard) {
      likenessQ = likenessOf(std::move(q), operands.queryBlocks);
      likenessK = likenessOf(std::move(k), operands.keyBlocks);
    }
  }

  ScoreRow row(int64_t queryBlock, const std::vector<Coverage> &coverage) const override {
    ScoreRow row;
    row.scores.resize(coverage.size(), -HUGE_VAL);
    row.scoreSlack.resize(coverage.size());
    if (queryBlock < meanQ.rows) {
      const double *q = meanQ[queryBlock];
      double sizeQ = normOf(q, meanQ.columns);
      for (int64_t j = 0; j < meanK.rows; ++j) {
        row.scores[j] = scale * dotProduct(q, meanK[j], meanK.columns);
        row.scoreSlack[j] = scale * scoreTolerance * sizeQ * sizeK[j];
      }
    }
    addShares(row, coverage);
    return row;
  }

private:
  double scale;
  Rows meanQ, meanK;
  std::vector<double> sizeK;
};

} // namespace

std::unique_ptr<HeadScores> makePooledScores(const Program &program, const Operands &operands, int64_t batch,
                                             int64_t head) {
  return std::make_unique<PooledScores>(program, operands, batch, head);
}

} // namespace tercet::reference
