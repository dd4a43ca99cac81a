// HeadEvaluator: every branch of a program at rows of one head.
#pragma once

#include "BlockRules.h"
#include "PooledTokens.h"
#include "RowMath.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace tercet::reference {

/// The key blocks of one query block: what covers them, and their classes. Null without classification.
struct RowBlocks {
  const int8_t *classes = nullptr;
  const Coverage *coverage = nullptr;
};

/// Loads keys and values of one head once, then evaluates rows. Tokens beyond the lengths are never read. One thread at a
/// time.
template <typename Real> class HeadEvaluator {
public:
  /// order: as EvaluateOptions::order.
  HeadEvaluator(const Program &program, const Operands &operands, int64_t batch, int64_t head, DType probabilities,
                int order)
      : program(program), operands(operands), batch(batch), head(head), probabilities(probabilities),
        firstFeature(order / 2 * operands.k.shape[3] / (EvaluateOptions::plainOrders / 2)), scalesQueries(order % 2),
        lengthQ(operands.lengthQ(batch)), lengthK(operands.lengthK(batch)),
        k(load(operands.k, operands.kvHead(head), lengthK, firstFeature)),
        v(load(operands.v, operands.kvHead(head), lengthK, 0)) {
    ScorePrecision precision = sizeof(Real) == sizeof(double) ? ScorePrecision::f64 : ScorePrecision::f32;
    for (const Branch &branch : program.branches) {
      if (branch.mask)
        masks.emplace(&branch, PairEvaluator(program, *branch.mask, operands, batch, head));
      if (branch.score)
        scoreRegions.emplace(&branch, PairEvaluator(program, *branch.score, operands, batch, head, precision));
      if (branch.factor)
        factors.emplace(&branch, PairEvaluator(program, *branch.factor, operands, batch, head));
      if (branch.kind == Branch::Kind::compressed)
        pools.emplace(&branch, poolsOf(branch.pools));
      if (branch.kind == Branch::Kind::linear && !featuresK.contains(branch.featureMap))
        featuresK[branch.featureMap] = features(branch.featureMap);
      if (branch.kind == Branch::Kind::blockMean && meanK.rows == 0) {
        meanK = means(k);
        meanV = means(v);
      }
    }
  }

  /// blocks: of the row's query block.
  std::vector<Row<Real>> evaluate(int64_t row, RowBlocks blocks) {
    std::vector<Row<Real>> results;
    if (row >= lengthQ) {
      results.assign(program.branches.size(), {std::vector<Real>(v.columns, Real(0))});
      return results;
    }
    std::vector<Real> q(k.columns);
    for (int64_t c = 0; c < k.columns; ++c)
      q[c] = static_cast<Real>(operands.q.get(batch, head, row, (c + firstFeature) % k.columns));
    for (const Branch &branch : program.branches)
      results.push_back(evaluateBranch(branch, row, q, blocks, results));
    return results;
  }

private:
  const Program &program;
  const Operands &operands;
  int64_t batch, head;
  DType probabilities;
  int64_t firstFeature;
  bool scalesQueries;
  int64_t lengthQ, lengthK;
  Matrix<Real> k, v, meanK, meanV;
  std::map<FeatureMap, Matrix<Real>> featuresK;
  std::map<const Branch *, PairEvaluator> masks, scoreRegions, factors;
  struct PooledKeys {
    Matrix<Real> k, v;
  };
  std::map<const Branch *, PooledKeys> pools;

  /// Runs of keys, or under a token order its blocks.
  PooledKeys poolsOf(const Pools &of) const {
    PoolMembers members;
    if (program.order)
      for (int64_t j = 0; j < operands.keyBlocks.count(); ++j)
        members.push_back(operands.keyBlocks.valid(j, lengthK));
    else
      for (int64_t first = 0; first < lengthK; first += of.stride)
        members.push_back(runOfTokens(first, of.length, lengthK));
    auto pool = [&](const Matrix<Real> &tokens, const std::string &weights) {
      Tensor table = weights.empty() ? Tensor() : *operands.arguments->find(weights);
      return poolTokens(tokens, members, table, operands.kvHead(head), operands.sizes.dtype);
    };
    return {pool(k, of.keyWeights), pool(v, of.valueWeights)};
  }

  Matrix<Real> load(const Tensor &tokens, int64_t tokenHead, int64_t length, int64_t firstColumn) const {
    Matrix<Real> matrix(length, tokens.shape[3]);
    for (int64_t t = 0; t < length; ++t)
      for (int64_t c = 0; c < matrix.columns; ++c)
        matrix[t][c] = static_cast<Real>(tokens.get(batch, tokenHead, t, (c + firstColumn) % matrix.columns));
    return matrix;
  }

  Matrix<Real> features(FeatureMap map) const {
    Matrix<Real> result(k.rows, k.columns);
    for (int64_t t = 0; t < k.rows; ++t)
      applyFeatureMap(map, k[t], k.columns, result[t]);
    return result;
  }

  Matrix<Real> means(const Matrix<Real> &tokens) const {
    Matrix<Real> result(operands.keyBlocks.count(), tokens.columns);
    for (int64_t j = 0; j < result.rows; ++j) {
      std::vector<int64_t> members = operands.keyBlocks.valid(j, lengthK);
      for (int64_t t : members)
        for (int64_t c = 0; c < tokens.columns; ++c)
          result[j][c] += tokens[t][c];
      for (int64_t c = 0; c < tokens.columns; ++c)
        result[j][c] /= static_cast<Real>(members.size());
    }
    return result;
  }

  /// Only exact attention looks at single pairs, so nothing else takes in a block of which the mask forbids some.
  static bool covers(const Branch &branch, RowBlocks blocks, int64_t block) {
    bool isWhole = blocks.coverage[block] == Coverage::full || branch.kind == Branch::Kind::sparse;
    return isWhole && (branch.classes & bitOfClass(blocks.classes[block]));
  }

  std::vector<int64_t> tokensOf(const Branch &branch, RowBlocks blocks) const {
    std::vector<int64_t> tokens;
    for (int64_t t = 0; t < lengthK; ++t)
      if (!blocks.classes || covers(branch, blocks, operands.keyBlocks.blockOf(t)))
        tokens.push_back(t);
    return tokens;
  }

  Row<Real> evaluateBranch(const Branch &branch, int64_t row, const std::vector<Real> &q, RowBlocks blocks,
                           const std::vector<Row<Real>> &earlier) {
    switch (branch.kind) {
    case Branch::Kind::sparse:
      return sparse(branch, row, q, blocks);
    case Branch::Kind::linear:
      return linear(branch, q, blocks);
    case Branch::Kind::blockMean:
      return blockMean(branch, q, blocks);
    case Branch::Kind::compressed:
      return compressed(branch, row, q);
    case Branch::Kind::project:
      return project(branch, earlier[branch.inputs[0]]);
    case Branch::Kind::gate:
      return gate(branch, row, earlier[branch.inputs[0]]);
    case Branch::Kind::sum:
      return sum(branch, earlier);
    case Branch::Kind::byHead:
      return byHead(branch, earlier);
    case Branch::Kind::joint:
      break;
    }
    std::vector<const Row<Real> *> parts;
    for (size_t input : branch.inputs)
      parts.push_back(&earlier[input]);
    return mergeRows(parts, v.columns);
  }

  /// scale * q . rows[index]
  class Scores {
  public:
    Scores(const HeadEvaluator &head, const Number &factor, std::vector<Real> q, const Matrix<Real> &rows)
        : q(std::move(q)), rows(rows), scale(static_cast<Real>(head.operands.scale(factor))) {
      if (!head.scalesQueries)
        return;
      for (Real &value : this->q)
        value *= scale;
      scale = 1;
    }
    Real operator[](int64_t index) const { return scale * dotProduct(q.data(), rows[index], rows.columns); }

  private:
    std::vector<Real> q;
    const Matrix<Real> &rows;
    Real scale;
  };

  /// Softmax over these of the rows of keys and values, through the branch's mask and score region; `row` is the position
  /// of the query.
  Row<Real> attend(const Branch &branch, int64_t row, const std::vector<Real> &q, const std::vector<int64_t> &tokens,
                   const Matrix<Real> &keys, const Matrix<Real> &values) {
    Scores scores(*this, branch.scale, q, keys);
    auto mask = masks.find(&branch), region = scoreRegions.find(&branch);
    std::vector<Term<Real>> terms;
    for (int64_t t : tokens) {
      if (mask != masks.end() && !mask->second.holds(row, t))
        continue;
      Real score = scores[t];
      if (region != scoreRegions.end())
        score = static_cast<Real>(region->second.score(row, t, score));
      terms.push_back({score, Real(1), values[t]});
    }
    return softmaxRow(terms, v.columns, probabilities);
  }

  Row<Real> sparse(const Branch &branch, int64_t row, const std::vector<Real> &q, RowBlocks blocks) {
    return attend(branch, row, q, tokensOf(branch, blocks), k, v);
  }

  Row<Real> compressed(const Branch &branch, int64_t row, const std::vector<Real> &q) {
    const PooledKeys &pooled = pools.at(&branch);
    std::vector<int64_t> all(pooled.k.rows);
    std::iota(all.begin(), all.end(), int64_t{0});
    int64_t size = branch.pools.queries;
    if (size == 0)
      return attend(branch, row, q, all, pooled.k, pooled.v);
    int64_t block = program.order ? operands.queryBlocks.blockOf(row) : row / size;
    std::vector<int64_t> members =
        program.order ? operands.queryBlocks.valid(block, lengthQ) : runOfTokens(block * size, size, lengthQ);
    Matrix<Real> tokens(static_cast<int64_t>(members.size()), k.columns);
    for (int64_t t = 0; t < tokens.rows; ++t)
      for (int64_t c = 0; c < k.columns; ++c)
        tokens[t][c] = static_cast<Real>(operands.q.get(batch, head, members[t], (c + firstFeature) % k.columns));
    PoolMembers one{runOfTokens(0, tokens.rows, tokens.rows)};
    Matrix<Real> mean = poolTokens(tokens, one, {}, 0, operands.sizes.dtype);
    return attend(branch, block, mean.values, all, pooled.k, pooled.v);
  }

  Row<Real> gate(const Branch &branch, int64_t row, const Row<Real> &input) {
    Row<Real> result = input;
    PairEvaluator &factor = factors.at(&branch);
    for (int64_t e = 0; e < v.columns; ++e)
      result.o[e] *= static_cast<Real>(factor.factor(row, e));
    return result;
  }

  Row<Real> byHead(const Branch &branch, const std::vector<Row<Real>> &earlier) const {
    const Tensor &choice = *operands.arguments->find(branch.choice);
    double chosen = choice.get(std::min(head, choice.shape[0] - 1));
    if (chosen < 0 || chosen >= static_cast<double>(branch.inputs.size()))
      return {std::vector<Real>(v.columns, Real(0))};
    return earlier[branch.inputs[static_cast<size_t>(chosen)]];
  }

  Row<Real> blockMean(const Branch &branch, const std::vector<Real> &q, RowBlocks blocks) const {
    Scores scores(*this, branch.scale, q, meanK);
    std::vector<Term<Real>> terms;
    for (int64_t j = 0; j < meanK.rows; ++j)
      if (covers(branch, blocks, j))
        terms.push_back({scores[j], static_cast<Real>(operands.keyBlocks.valid(j, lengthK).size()), meanV[j]});
    return softmaxRow(terms, v.columns, probabilities);
  }

  Row<Real> linear(const Branch &branch, const std::vector<Real> &q, RowBlocks blocks) const {
    std::vector<Real> featuresQ(q.size());
    applyFeatureMap(branch.featureMap, q.data(), k.columns, featuresQ.data());
    return linearRow(featuresQ.data(), featuresK.at(branch.featureMap), v, tokensOf(branch, blocks),
                     static_cast<Real>(operands.value(branch.eps)));
  }

  Row<Real> project(const Branch &branch, const Row<Real> &input) const {
    const Tensor *w = operands.arguments->find(branch.weight), *b = operands.arguments->find(branch.bias);
    Row<Real> row{input.o};
    for (int64_t e = 0; e < v.columns; ++e) {
      if (w && *w) {
        row.o[e] = 0;
        for (int64_t c = 0; c < v.columns; ++c)
          row.o[e] += input.o[c] * static_cast<Real>(w->get(e, c));
      }
      if (b && *b)
        row.o[e] += static_cast<Real>(b->get(e));
    }
    return row;
  }

  Row<Real> sum(const Branch &branch, const std::vector<Row<Real>> &earlier) const {
    Row<Real> row{std::vector<Real>(v.columns, Real(0))};
    for (size_t input : branch.inputs) {
      for (int64_t c = 0; c < v.columns; ++c)
        row.o[c] += earlier[input].o[c];
      if (program.hasLse(input))
        row.lse = earlier[input].lse;
    }
    return row;
  }
};

} // namespace tercet::reference
