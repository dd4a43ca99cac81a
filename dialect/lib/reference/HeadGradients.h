// HeadGradients: a program taken back at the rows of one head (docs/gradients.md), for fp64 and for the plain evaluation.
//
// A branch has one reader, so each row walks the branches from the last to the first and hands every input its adjoint.
// Branches that meet under one softmax get the adjoint of the joint row: their terms against its D and its LSE.
#pragma once

#include "HeadEvaluator.h"
#include "RegionGradient.h"
#include "RowGradients.h"

namespace tercet::reference {

/// The gradient of a weight or a table, row-major.
template <typename Real> struct TensorSum {
  std::array<int64_t, 4> shape{1, 1, 1, 1};
  std::vector<Real> values;

  explicit TensorSum(const Tensor &like) : shape(like.shape), values(like.elements(), Real(0)) {}
  Real &at(const std::array<int64_t, 4> &i) {
    return values[((i[0] * shape[1] + i[1]) * shape[2] + i[2]) * shape[3] + i[3]];
  }
};

/// By the names of the inputs.
template <typename Real> using TensorSums = std::map<std::string, TensorSum<Real>>;

/// Add all rows, then finish. One thread at a time.
template <typename Real> class HeadGradients {
public:
  /// tokens: of the head; others: those of weights and tables to which the rows add.
  HeadGradients(HeadTokens<Real> &tokens, DType probabilities, TensorSums<Real> &others)
      : dQ(tokens.lengthQ, tokens.headDim()), dK(tokens.lengthK, tokens.headDim()),
        dV(tokens.lengthK, tokens.valueDim()), tokens(tokens), program(tokens.program),
        evaluator(tokens, probabilities), probabilities(probabilities), others(others) {
    ScorePrecision precision = sizeof(Real) == sizeof(double) ? ScorePrecision::f64 : ScorePrecision::f32;
    for (const Branch &branch : program.branches)
      for (const auto *region : {&branch.score, &branch.factor})
        if (*region)
          regions.emplace(&branch, RegionGradient(**region, precision));
  }

  /// Of rows and keys within the lengths; columns as HeadTokens::featureOf has them.
  Matrix<Real> dQ, dK, dV;

  /// gradient: dO of a row below lengthQ; blocks: of its query block.
  void addRow(int64_t row, RowBlocks blocks, std::vector<Real> gradient) {
    std::vector<Row<Real>> rows = evaluator.evaluate(row, blocks);
    std::vector<std::optional<RowAdjoint<Real>>> adjoints(rows.size());
    adjoints[program.output] = adjointOf(std::move(gradient), rows[program.output]);
    for (size_t index = rows.size(); index-- > 0;) {
      const Branch &branch = program.branches[index];
      if (!adjoints[index])
        continue;
      const RowAdjoint<Real> &adjoint = *adjoints[index];
      auto handOn = [&](size_t input, std::vector<Real> to) {
        adjoints[input] = adjointOf(std::move(to), rows[input]);
      };
      switch (branch.kind) {
      case Branch::Kind::sparse:
      case Branch::Kind::blockMean:
      case Branch::Kind::compressed:
        addSoftmax(branch, row, blocks, adjoint);
        break;
      case Branch::Kind::linear:
        addLinear(branch, row, blocks, adjoint);
        break;
      case Branch::Kind::project:
        handOn(branch.inputs[0], project(branch, rows[branch.inputs[0]], adjoint));
        break;
      case Branch::Kind::gate:
        handOn(branch.inputs[0], gate(branch, row, rows[branch.inputs[0]], adjoint));
        break;
      case Branch::Kind::sum:
        for (size_t input : branch.inputs)
          handOn(input, adjoint.o);
        break;
      case Branch::Kind::byHead:
        if (std::optional<size_t> input = evaluator.chosen(branch))
          handOn(*input, adjoint.o);
        break;
      case Branch::Kind::joint:
        for (size_t input : branch.inputs)
          adjoints[input] = adjoint;
      }
    }
  }

  /// Takes what means, pools and features got back to the tokens.
  void finish() {
    for (const Branch &branch : program.branches) {
      const KeyRows<Real> &from = tokens.keysOf(branch);
      auto of = keys.find(&from);
      if (of == keys.end())
        continue;
      if (from.members.empty()) {
        addScaled(dK.values.data(), Real(1), of->second.k.values.data(), dK.rows * dK.columns);
        addScaled(dV.values.data(), Real(1), of->second.v.values.data(), dV.rows * dV.columns);
      } else {
        addPoolGradient(of->second.k, from.members, from.keyWeights, tokens.kvHead(), dK);
        addPoolGradient(of->second.v, from.members, from.valueWeights, tokens.kvHead(), dV);
        addPoolWeights(branch.pools.keyWeights, of->second.k, from, tokens.keys());
        addPoolWeights(branch.pools.valueWeights, of->second.v, from, tokens.values());
      }
      keys.erase(of);
    }
    for (const auto &[map, gradient] : featuresK)
      for (int64_t t = 0; t < dK.rows; ++t)
        addFeatureGradient(map, tokens.keys()[t], tokens.features(map)[t], gradient[t], dK.columns, dK[t]);
    featuresK.clear();
  }

private:
  struct KeyGradients {
    Matrix<Real> k, v;
  };
  HeadTokens<Real> &tokens;
  const Program &program;
  HeadEvaluator<Real> evaluator;
  DType probabilities;
  TensorSums<Real> &others;
  std::map<const Branch *, RegionGradient> regions;
  std::map<const KeyRows<Real> *, KeyGradients> keys; ///< by what a softmax attended to
  std::map<FeatureMap, Matrix<Real>> featuresK;

  /// Takes a derivative back through the region of a branch, at the pair that it saw last; returns that by the score.
  Real addRegion(const Branch &branch, const PairEvaluator &at, Real adjoint) {
    RegionGradient &region = regions.at(&branch);
    double score = region.run(at, adjoint);
    for (const TableTerm &term : region.tables)
      others.at(program.tables[term.table].name).at(term.entry) += static_cast<Real>(term.value);
    return static_cast<Real>(score);
  }

  void addSoftmax(const Branch &branch, int64_t row, RowBlocks blocks, const RowAdjoint<Real> &adjoint) {
    if (adjoint.lse == -std::numeric_limits<Real>::infinity())
      return;
    const KeyRows<Real> &from = tokens.keysOf(branch);
    auto [to, isNew] = keys.try_emplace(&from);
    if (isNew)
      to->second = {Matrix<Real>(from.k.rows, dK.columns), Matrix<Real>(from.v.rows, dV.columns)};
    SoftmaxTerms<Real> softmax = tokens.softmaxTerms(branch, row, blocks);
    PairEvaluator *region = tokens.regionOf(branch);
    std::vector<Real> dQuery(dQ.columns);
    for (size_t n = 0; n < softmax.terms.size(); ++n) {
      TermAdjoint<Real> term = termAdjoint(softmax.terms[n], adjoint);
      if (term.p == 0)
        continue;
      int64_t key = softmax.keys[n];
      if (region) {
        region->score(softmax.query.position, key, softmax.scores[n]);
        term.score = addRegion(branch, *region, term.score);
      }
      Real dProduct = softmax.scale * roundTo(probabilities, term.score);
      addScaled(to->second.v[key], roundTo(probabilities, term.p), adjoint.o.data(), dV.columns);
      addScaled(to->second.k[key], dProduct, softmax.query.q.data(), dK.columns);
      addScaled(dQuery.data(), dProduct, from.k[key], dQ.columns);
    }
    for (int64_t token : softmax.query.tokens)
      addScaled(dQ[token], 1 / static_cast<Real>(softmax.query.tokens.size()), dQuery.data(), dQ.columns);
  }

  void addLinear(const Branch &branch, int64_t row, RowBlocks blocks, const RowAdjoint<Real> &adjoint) {
    FeatureMap map = branch.featureMap;
    auto [to, isNew] = featuresK.try_emplace(map);
    if (isNew)
      to->second = Matrix<Real>(dK.rows, dK.columns);
    std::vector<Real> q = tokens.query(row), featuresQ(q.size()), dFeaturesQ(q.size());
    applyFeatureMap(map, q.data(), dQ.columns, featuresQ.data());
    addLinearRow(adjoint, featuresQ.data(), tokens.features(map), tokens.values(), tokens.tokensOf(branch, blocks),
                 static_cast<Real>(tokens.operands.value(branch.eps)), dFeaturesQ.data(), to->second, dV);
    addFeatureGradient(map, q.data(), featuresQ.data(), dFeaturesQ.data(), dQ.columns, dQ[row]);
  }

  /// Adds dW and db of a row, and returns dO W.
  std::vector<Real> project(const Branch &branch, const Row<Real> &input, const RowAdjoint<Real> &adjoint) {
    auto weight = others.find(branch.weight), bias = others.find(branch.bias);
    int64_t valueDim = dV.columns;
    if (bias != others.end())
      addScaled(bias->second.values.data(), Real(1), adjoint.o.data(), valueDim);
    if (weight == others.end())
      return adjoint.o;
    const Tensor &w = *tokens.operands.arguments->find(branch.weight);
    std::vector<Real> gradient(valueDim);
    for (int64_t e = 0; e < valueDim; ++e)
      for (int64_t c = 0; c < valueDim; ++c) {
        gradient[c] += adjoint.o[e] * static_cast<Real>(w.get(e, c));
        weight->second.at({e, c, 0, 0}) += adjoint.o[e] * input.o[c];
      }
    return gradient;
  }

  /// Adds the gradients of the tables that a factor reads, and returns dO times the factor.
  std::vector<Real> gate(const Branch &branch, int64_t row, const Row<Real> &input, const RowAdjoint<Real> &adjoint) {
    PairEvaluator &factor = *tokens.regionOf(branch);
    std::vector<Real> gradient(adjoint.o.size());
    for (size_t e = 0; e < gradient.size(); ++e) {
      gradient[e] = adjoint.o[e] * static_cast<Real>(factor.factor(row, static_cast<int64_t>(e)));
      addRegion(branch, factor, adjoint.o[e] * input.o[e]);
    }
    return gradient;
  }

  void addPoolWeights(const std::string &name, const Matrix<Real> &dPools, const KeyRows<Real> &from,
                      const Matrix<Real> &rows) {
    if (name.empty())
      return;
    TensorSum<Real> &sum = others.at(name);
    int64_t head = std::min(tokens.kvHead(), sum.shape[0] - 1), last = sum.shape[1] - 1;
    for (int64_t pool = 0; pool < dPools.rows; ++pool)
      for (size_t t = 0; t < from.members[pool].size(); ++t)
        sum.at({head, std::min(static_cast<int64_t>(t), last), 0, 0}) +=
            dotProduct(dPools[pool], rows[from.members[pool][t]], rows.columns);
  }
};

} // namespace tercet::reference
