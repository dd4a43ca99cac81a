// Scores: what the blocks of one head score, in fp64 (docs/spec.md#pooled_scores, #sampled_scores,
// #compressed_scores, #given_scores), their shares P of a row, and how far a target's may be off.
#pragma once

#include "BlockRules.h"
#include "RowMath.h"

#include <memory>

namespace tercet::reference {

/// A score may be off by this share of the product of the lengths of what it multiplies: fp32 sums over a block and a head
/// dimension stay well inside. Two scores then change places only where they are closer than 1e-5 of it.
constexpr double scoreTolerance = 0.5e-5;
/// What fp32 makes of the sum of a row of exponentials, relative; and what it cannot tell from 0.
constexpr double shareTolerance = 1e-5, smallestShare = 1e-37;

/// One row of blocks. Slacks: by how much a target's value may differ (docs/numerics.md#selection).
struct ScoreRow {
  std::vector<double> scores, scoreSlack; ///< NaN has become -inf, and -inf the lowest finite number above it
  std::vector<double> shares, shareSlack; ///< P: 0 at empty blocks
};

/// A row of scores that are P themselves: `add` sums them, and their slack, into the row.
template <typename Add> ScoreRow rowOfShares(size_t blocks, Add add) {
  ScoreRow row;
  row.scores.resize(blocks);
  row.scoreSlack.resize(blocks);
  add(row);
  for (double &slack : row.scoreSlack)
    slack += smallestShare;
  row.shares = row.scores;
  row.shareSlack = row.scoreSlack;
  return row;
}

/// The scores of one head.
class HeadScores {
public:
  /// Null where the classification has no scores.
  static std::unique_ptr<HeadScores> make(const Program &program, const Operands &operands, int64_t batch,
                                          int64_t head);
  virtual ~HeadScores() = default;
  virtual ScoreRow row(int64_t queryBlock, const std::vector<Coverage> &coverage) const = 0;
  /// Mean cosine between the tokens of a block, per query block and per key block; empty without a guard.
  std::vector<double> likenessQ, likenessK;
};

/// The first `length` tokens of one head.
Matrix<double> loadTokens(const Tensor &tokens, int64_t batch, int64_t head, int64_t length);
inline double normOf(const double *row, int64_t columns) { return std::sqrt(dotProduct(row, row, columns)); }

/// The scale of the spec's softmax branches, 1/sqrt(head dimension) where it has none.
double scoreScale(const Program &program, const Operands &operands);

/// P of a row of logits, and the slacks that follow from those of the logits.
void addShares(ScoreRow &row, const std::vector<Coverage> &coverage);

std::unique_ptr<HeadScores> makePooledScores(const Program &program, const Operands &operands, int64_t batch,
                                             int64_t head);
std::unique_ptr<HeadScores> makeSampledScores(const Program &program, const Operands &operands, int64_t batch,
                                              int64_t head);
std::unique_ptr<HeadScores> makeCompressedScores(const Program &program, const Operands &operands, int64_t batch,
                                                 int64_t head);

} // namespace tercet::reference
