// HeadTokens: what the rows of one head read: queries, keys and values, their means, pools and features, and the terms of
// every softmax.
#pragma once

#include "Classify.h"
#include "PooledTokens.h"
#include "RowMath.h"

#include <map>
#include <numeric>

namespace tercet::reference {

/// Keys and values that a softmax attends to: of tokens, or of sets of tokens.
template <typename Real> struct KeyRows {
  Matrix<Real> k, v;
  PoolMembers members;             ///< the tokens of each row; empty where rows are tokens
  Tensor keyWeights, valueWeights; ///< as poolTokens takes them
};

/// What a softmax row asks with.
template <typename Real> struct QueryRow {
  int64_t position = 0;        ///< as regions see it: a token, or a block of pooled queries
  std::vector<int64_t> tokens; ///< whose mean it is
  std::vector<Real> q;
};

/// One softmax row before its sum.
template <typename Real> struct SoftmaxTerms {
  QueryRow<Real> query;
  Real scale = 1;
  std::vector<int64_t> keys;     ///< of each term: a row of HeadTokens::keysOf
  std::vector<Real> scores;      ///< scale q . k, which a score region may have replaced in `terms`
  std::vector<Term<Real>> terms; ///< those that the mask allows
};

/// Loads keys and values of one head once. Tokens beyond the lengths are never read. One thread at a time.
template <typename Real> class HeadTokens {
public:
  const Program &program;
  const Operands &operands;
  const int64_t batch, head, lengthQ, lengthK;

  /// order: as EvaluateOptions::order.
  HeadTokens(const Program &program, const Operands &operands, int64_t batch, int64_t head, int order)
      : program(program), operands(operands), batch(batch), head(head), lengthQ(operands.lengthQ(batch)),
        lengthK(operands.lengthK(batch)),
        firstFeature(order / 2 * operands.k.shape[3] / (EvaluateOptions::plainOrders / 2)), scalesQueries(order % 2) {
    tokens.k = load(operands.k, lengthK, firstFeature);
    tokens.v = load(operands.v, lengthK, 0);
    ScorePrecision precision = sizeof(Real) == sizeof(double) ? ScorePrecision::f64 : ScorePrecision::f32;
    for (const Branch &branch : program.branches) {
      if (branch.mask)
        masks.emplace(&branch, PairEvaluator(program, *branch.mask, operands, batch, head));
      if (branch.score)
        regions.emplace(&branch, PairEvaluator(program, *branch.score, operands, batch, head, precision));
      if (branch.factor)
        regions.emplace(&branch, PairEvaluator(program, *branch.factor, operands, batch, head));
      if (branch.kind == Branch::Kind::compressed)
        pools.emplace(&branch, poolsOf(branch.pools));
      if (branch.kind == Branch::Kind::linear && !featuresK.contains(branch.featureMap))
        featuresK[branch.featureMap] = featuresOf(branch.featureMap);
      if (branch.kind == Branch::Kind::blockMean && means.k.rows == 0)
        means = pooled(blocksOfKeys(), {}, {}, DType::f64);
    }
  }

  int64_t headDim() const { return tokens.k.columns; }
  int64_t valueDim() const { return tokens.v.columns; }
  /// Column c of queries and keys is this feature.
  int64_t featureOf(int64_t c) const { return (c + firstFeature) % headDim(); }
  int64_t kvHead() const { return operands.kvHead(head); }

  std::vector<Real> query(int64_t row) const {
    std::vector<Real> q(headDim());
    for (int64_t c = 0; c < headDim(); ++c)
      q[c] = static_cast<Real>(operands.q.get(batch, head, row, featureOf(c)));
    return q;
  }
  const Matrix<Real> &keys() const { return tokens.k; }
  const Matrix<Real> &values() const { return tokens.v; }
  /// Of the keys; for the maps of linear branches.
  const Matrix<Real> &features(FeatureMap map) const { return featuresK.at(map); }

  /// The keys of a softmax branch.
  const KeyRows<Real> &keysOf(const Branch &branch) const {
    return branch.kind == Branch::Kind::compressed  ? pools.at(&branch)
           : branch.kind == Branch::Kind::blockMean ? means
                                                    : tokens;
  }

  /// The score region or the factor of a branch; null where it has none.
  PairEvaluator *regionOf(const Branch &branch) {
    auto region = regions.find(&branch);
    return region == regions.end() ? nullptr : &region->second;
  }

  /// The keys that a sparse or linear branch covers, one by one.
  std::vector<int64_t> tokensOf(const Branch &branch, RowBlocks blocks) const {
    std::vector<int64_t> covered;
    for (int64_t t = 0; t < lengthK; ++t)
      if (!blocks.classes || covers(branch, blocks, operands.keyBlocks.blockOf(t)))
        covered.push_back(t);
    return covered;
  }

  /// The terms of a softmax branch at a row; blocks: of the row's query block.
  SoftmaxTerms<Real> softmaxTerms(const Branch &branch, int64_t row, RowBlocks blocks) {
    const KeyRows<Real> &keys = keysOf(branch);
    SoftmaxTerms<Real> result{queryOf(branch, row), static_cast<Real>(operands.scale(branch.scale))};
    std::vector<Real> q = result.query.q;
    if (scalesQueries)
      for (Real &value : q)
        value *= result.scale;
    auto mask = masks.find(&branch);
    PairEvaluator *region = regionOf(branch);
    int64_t position = result.query.position;
    for (int64_t key : rowsOf(branch, blocks)) {
      if (mask != masks.end() && !mask->second.holds(position, key))
        continue;
      Real product = dotProduct(q.data(), keys.k[key], headDim()),
           score = scalesQueries ? product : result.scale * product;
      Real entered = region ? static_cast<Real>(region->score(position, key, score)) : score;
      bool isMean = branch.kind == Branch::Kind::blockMean;
      result.keys.push_back(key);
      result.scores.push_back(score);
      result.terms.push_back({entered, isMean ? static_cast<Real>(keys.members[key].size()) : Real(1), keys.v[key]});
    }
    return result;
  }

private:
  int64_t firstFeature;
  bool scalesQueries;
  KeyRows<Real> tokens, means;
  std::map<FeatureMap, Matrix<Real>> featuresK;
  std::map<const Branch *, PairEvaluator> masks, regions;
  std::map<const Branch *, KeyRows<Real>> pools;

  Matrix<Real> load(const Tensor &tensor, int64_t length, int64_t firstColumn) const {
    Matrix<Real> matrix(length, tensor.shape[3]);
    for (int64_t t = 0; t < length; ++t)
      for (int64_t c = 0; c < matrix.columns; ++c)
        matrix[t][c] = static_cast<Real>(tensor.get(batch, kvHead(), t, (c + firstColumn) % matrix.columns));
    return matrix;
  }

  Matrix<Real> featuresOf(FeatureMap map) const {
    Matrix<Real> result(tokens.k.rows, headDim());
    for (int64_t t = 0; t < result.rows; ++t)
      applyFeatureMap(map, tokens.k[t], headDim(), result[t]);
    return result;
  }

  PoolMembers blocksOfKeys() const {
    PoolMembers members;
    for (int64_t j = 0; j < operands.keyBlocks.count(); ++j)
      members.push_back(operands.keyBlocks.valid(j, lengthK));
    return members;
  }

  KeyRows<Real> pooled(PoolMembers members, const Tensor &keyWeights, const Tensor &valueWeights, DType dtype) const {
    return {poolTokens(tokens.k, members, keyWeights, kvHead(), dtype),
            poolTokens(tokens.v, members, valueWeights, kvHead(), dtype), members, keyWeights, valueWeights};
  }

  /// Runs of keys, or under a token order its blocks.
  KeyRows<Real> poolsOf(const Pools &of) const {
    PoolMembers members;
    if (program.order) {
      members = blocksOfKeys();
      while (!members.empty() && members.back().empty()) // blocks behind the length
        members.pop_back();
    } else {
      for (int64_t first = 0; first < lengthK; first += of.stride)
        members.push_back(runOfTokens(first, of.length, lengthK));
    }
    auto table = [&](const std::string &name) { return name.empty() ? Tensor() : *operands.arguments->find(name); };
    return pooled(std::move(members), table(of.keyWeights), table(of.valueWeights), operands.sizes.dtype);
  }

  /// Only exact attention looks at single pairs, so nothing else takes in a block of which the mask forbids some.
  static bool covers(const Branch &branch, RowBlocks blocks, int64_t block) {
    bool isWhole = blocks.coverage[block] == Coverage::full || branch.kind == Branch::Kind::sparse;
    return isWhole && (branch.classes & bitOfClass(blocks.classes[block]));
  }

  /// The rows of keysOf that a softmax branch covers.
  std::vector<int64_t> rowsOf(const Branch &branch, RowBlocks blocks) const {
    if (branch.kind == Branch::Kind::sparse)
      return tokensOf(branch, blocks);
    std::vector<int64_t> rows;
    for (int64_t row = 0; row < keysOf(branch).k.rows; ++row)
      if (branch.kind == Branch::Kind::compressed || covers(branch, blocks, row))
        rows.push_back(row);
    return rows;
  }

  QueryRow<Real> queryOf(const Branch &branch, int64_t row) const {
    int64_t size = branch.pools.queries;
    if (size == 0 && !branch.poolsQueries)
      return {row, {row}, query(row)};
    bool ofBlock = program.order || branch.poolsQueries;
    int64_t block = ofBlock ? operands.queryBlocks.blockOf(row) : row / size;
    std::vector<int64_t> members =
        ofBlock ? operands.queryBlocks.valid(block, lengthQ) : runOfTokens(block * size, size, lengthQ);
    Matrix<Real> queries(static_cast<int64_t>(members.size()), headDim());
    for (int64_t t = 0; t < queries.rows; ++t) {
      std::vector<Real> q = query(members[t]);
      std::copy(q.begin(), q.end(), queries[t]);
    }
    PoolMembers all{runOfTokens(0, queries.rows, queries.rows)};
    DType dtype = branch.poolsQueries ? DType::f64 : operands.sizes.dtype; // means are not rounded
    return {block, std::move(members), poolTokens(queries, all, {}, 0, dtype).values};
  }
};

} // namespace tercet::reference
