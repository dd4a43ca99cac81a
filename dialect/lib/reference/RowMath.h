// Row mathematics: one softmax row, one linear row, one feature map, for fp64 (the oracle) and fp32 (the plain
// evaluation that bounds a kernel's error). Sums run in index order.
#pragma once

#include "tercet/Tensor.h"
#include "tercet/dialect/reference/Program.h"

#include <cmath>
#include <limits>
#include <vector>

namespace tercet::reference {

/// A dense matrix of one head: tokens or blocks by features.
template <typename Real> struct Matrix {
  int64_t rows = 0, columns = 0;
  std::vector<Real> values;
  Matrix() = default;
  Matrix(int64_t rows, int64_t columns) : rows(rows), columns(columns), values(rows * columns, Real(0)) {}
  Real *operator[](int64_t row) { return values.data() + row * columns; }
  const Real *operator[](int64_t row) const { return values.data() + row * columns; }
};

/// One output row; lse is natural log, meaningful for softmax rows only.
template <typename Real> struct Row {
  std::vector<Real> o;
  Real lse = -std::numeric_limits<Real>::infinity();
};

/// One term of a softmax: count * exp(score) of weight, and the value it brings.
template <typename Real> struct Term {
  Real score;
  Real count;
  const Real *value;
};

template <typename Real> Real dotProduct(const Real *a, const Real *b, int64_t dimension) {
  Real sum = 0;
  for (int64_t c = 0; c < dimension; ++c)
    sum += a[c] * b[c];
  return sum;
}

template <typename Real> Real roundTo(DType dtype, Real value) {
  if (dtype == DType::f64 || (dtype == DType::f32 && sizeof(Real) == sizeof(float)))
    return value;
  double stored = 0;
  Tensor cell = Tensor::contiguous(&stored, dtype, {1});
  cell.set(static_cast<double>(value), 0);
  return static_cast<Real>(cell.get(0));
}

/// o = sum p v / sum p with p = count exp(score), lse = log sum p. No term, or only scores of -inf: o = 0, lse = -inf.
/// NaN and +inf propagate. What meets the values is p rounded to `probabilities` (p itself for f64), relative to the largest score less
/// `lag`: a kernel's maximum, too, is where it was when the row's first keys were seen.
template <typename Real>
Row<Real> softmaxRow(const std::vector<Term<Real>> &terms, int64_t valueDim, DType probabilities, Real lag = 0) {
  Row<Real> row{std::vector<Real>(valueDim, Real(0))};
  const Real nothing = -std::numeric_limits<Real>::infinity();
  Real top = nothing;
  bool live = false;
  for (const Term<Real> &term : terms) {
    live = live || !(term.score == nothing);
    top = std::fmax(top, term.score);
  }
  if (!live)
    return row;
  if (probabilities == DType::f16 || probabilities == DType::bf16)
    top -= lag;
  Real sum = 0;
  for (const Term<Real> &term : terms) {
    Real p = term.count * std::exp(term.score - top);
    sum += p;
    Real weight = roundTo(probabilities, p);
    for (int64_t c = 0; c < valueDim; ++c)
      row.o[c] += weight * term.value[c];
  }
  for (Real &value : row.o)
    value /= sum;
  row.lse = top + std::log(sum);
  return row;
}

/// Softmax rows under one denominator, as if all their terms had stood under one softmax.
template <typename Real> Row<Real> mergeRows(const std::vector<const Row<Real> *> &parts, int64_t valueDim) {
  std::vector<Term<Real>> terms;
  for (const Row<Real> *part : parts)
    terms.push_back({part->lse, Real(1), part->o.data()});
  return softmaxRow(terms, valueDim, DType::f64);
}

/// The features of one token.
template <typename Real> void applyFeatureMap(FeatureMap map, const Real *x, int64_t dimension, Real *features) {
  Real top = x[0], sum = 0;
  for (int64_t c = 0; c < dimension; ++c)
    top = std::fmax(top, x[c]);
  for (int64_t c = 0; c < dimension; ++c) {
    if (map == FeatureMap::softmax)
      features[c] = std::exp(x[c] - top);
    else if (map == FeatureMap::elu)
      features[c] = x[c] > 0 ? x[c] + Real(1) : std::exp(x[c]);
    else
      features[c] = x[c] > 0 || std::isnan(x[c]) ? x[c] : Real(0);
    sum += features[c];
  }
  if (map == FeatureMap::softmax)
    for (int64_t c = 0; c < dimension; ++c)
      features[c] /= sum;
}

/// o = sum (phi(q) . phi(k)) v / (sum phi(q) . phi(k) + eps) over the listed tokens; 0 where the denominator is 0.
template <typename Real>
Row<Real> linearRow(const Real *featuresQ, const Matrix<Real> &featuresK, const Matrix<Real> &v,
                    const std::vector<int64_t> &tokens, Real eps) {
  Row<Real> row{std::vector<Real>(v.columns, Real(0))};
  Real denominator = 0;
  for (int64_t token : tokens) {
    Real weight = dotProduct(featuresQ, featuresK[token], featuresK.columns);
    denominator += weight;
    for (int64_t c = 0; c < v.columns; ++c)
      row.o[c] += weight * v[token][c];
  }
  denominator += eps;
  for (Real &value : row.o)
    value = denominator == 0 ? Real(0) : value / denominator;
  return row;
}

} // namespace tercet::reference
