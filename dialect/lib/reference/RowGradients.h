// Row gradients: what RowMath.h computes, taken back: one softmax row, one linear row, one feature map, pools. For fp64 and
// for the plain fp32 evaluation. Formulas: docs/gradients.md.
#pragma once

#include "PooledTokens.h"
#include "RowMath.h"

namespace tercet::reference {

/// The derivative by a row's output, and what a softmax needs beside it: D = rowsum(dO * O) and the LSE of the row that
/// was made of it: its own, or that of the joint row.
template <typename Real> struct RowAdjoint {
  std::vector<Real> o;
  Real d = 0, lse = 0;
};

template <typename Real> RowAdjoint<Real> adjointOf(std::vector<Real> gradient, const Row<Real> &row) {
  Real d = dotProduct(gradient.data(), row.o.data(), static_cast<int64_t>(gradient.size()));
  return {std::move(gradient), d, row.lse};
}

/// P of a term and dS = P (dP - D), the derivative by its score. A term whose P is 0 gets nothing.
template <typename Real> struct TermAdjoint { Real p = 0, score = 0; };

template <typename Real> TermAdjoint<Real> termAdjoint(const Term<Real> &term, const RowAdjoint<Real> &adjoint) {
  Real p = term.count * std::exp(term.score - adjoint.lse);
  if (p == 0)
    return {};
  Real dP = dotProduct(adjoint.o.data(), term.value, static_cast<int64_t>(adjoint.o.size()));
  return {p, p * (dP - adjoint.d)};
}

template <typename Real> void addScaled(Real *target, Real factor, const Real *source, int64_t dimension) {
  for (int64_t c = 0; c < dimension; ++c)
    target[c] += factor * source[c];
}

/// The gradients of a linear row by its features and values, added to `dFeaturesQ`, `dFeaturesK` and `dV`. Nothing where
/// the denominator is 0.
template <typename Real>
void addLinearRow(const RowAdjoint<Real> &adjoint, const Real *featuresQ, const Matrix<Real> &featuresK,
                  const Matrix<Real> &v, const std::vector<int64_t> &tokens, Real eps, Real *dFeaturesQ,
                  Matrix<Real> &dFeaturesK, Matrix<Real> &dV) {
  Real denominator = 0;
  for (int64_t token : tokens)
    denominator += dotProduct(featuresQ, featuresK[token], featuresK.columns);
  denominator += eps;
  if (denominator == 0)
    return;
  for (int64_t token : tokens) {
    Real weight = dotProduct(featuresQ, featuresK[token], featuresK.columns);
    addScaled(dV[token], weight / denominator, adjoint.o.data(), v.columns);
    Real dWeight = (dotProduct(adjoint.o.data(), v[token], v.columns) - adjoint.d) / denominator;
    addScaled(dFeaturesQ, dWeight, featuresK[token], featuresK.columns);
    addScaled(dFeaturesK[token], dWeight, featuresQ, featuresK.columns);
  }
}

/// Adds J^T g to `dX`, where J is the derivative of the features of `x` and g that by the features.
template <typename Real>
void addFeatureGradient(FeatureMap map, const Real *x, const Real *features, const Real *g, int64_t dimension,
                        Real *dX) {
  Real mean = map == FeatureMap::softmax ? dotProduct(g, features, dimension) : Real(0);
  for (int64_t c = 0; c < dimension; ++c) {
    if (map == FeatureMap::softmax)
      dX[c] += features[c] * (g[c] - mean);
    else if (map == FeatureMap::elu)
      dX[c] += x[c] > 0 ? g[c] : g[c] * features[c];
    else if (x[c] > 0 || std::isnan(x[c]))
      dX[c] += g[c];
  }
}

/// The weight of the t-th of `count` tokens of a pool, as poolTokens takes it.
template <typename Real> Real poolWeight(const Tensor &weights, int64_t head, int64_t t, int64_t count) {
  if (!weights)
    return 1 / static_cast<Real>(count);
  return static_cast<Real>(weights.get(std::min(head, weights.shape[0] - 1), std::min(t, weights.shape[1] - 1)));
}

/// From pools back to their tokens; rounding a pool counts as the identity.
template <typename Real>
void addPoolGradient(const Matrix<Real> &dPools, const PoolMembers &members, const Tensor &weights, int64_t head,
                     Matrix<Real> &dTokens) {
  for (int64_t pool = 0; pool < dPools.rows; ++pool) {
    auto count = static_cast<int64_t>(members[pool].size());
    for (int64_t t = 0; t < count; ++t)
      addScaled(dTokens[members[pool][t]], poolWeight<Real>(weights, head, t, count), dPools[pool], dPools.columns);
  }
}

} // namespace tercet::reference
