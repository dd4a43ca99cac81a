#include "NaiveGradient.h"

#include <cmath>
#include <limits>

namespace tercet::test {
namespace {

using Row = std::vector<double>;

Row rowOf(const Tensor &tensor, int64_t b, int64_t h, int64_t t) {
  Row row;
  for (int64_t c = 0; c < tensor.shape[3]; ++c)
    row.push_back(tensor.get(b, h, t, c));
  return row;
}

double dot(const Row &x, const Row &y) {
  double sum = 0;
  for (size_t c = 0; c < x.size(); ++c)
    sum += x[c] * y[c];
  return sum;
}

/// to[at ..] += factor * row
void add(Row &to, size_t at, double factor, const Row &row) {
  for (size_t c = 0; c < row.size(); ++c)
    to[at + c] += factor * row[c];
}

size_t placeOf(const Tensor &tensor, int64_t b, int64_t h, int64_t t) {
  return static_cast<size_t>(((b * tensor.shape[1] + h) * tensor.shape[2] + t) * tensor.shape[3]);
}

class Differentiation {
public:
  explicit Differentiation(const NaiveAttention &attention) : a(attention) {
    result.dq.resize(static_cast<size_t>(a.q.elements()));
    result.dk.resize(static_cast<size_t>(a.k.elements()));
    result.dv.resize(static_cast<size_t>(a.v.elements()));
  }

  Gradients run() {
    for (int64_t b = 0; b < a.q.shape[0]; ++b)
      for (int64_t h = 0; h < a.q.shape[1]; ++h)
        head(b, h);
    return std::move(result);
  }

private:
  void head(int64_t b, int64_t h) {
    int64_t queries = a.queryLengths.empty() ? a.q.shape[2] : a.queryLengths[static_cast<size_t>(b)];
    int64_t count = a.keyLengths.empty() ? a.k.shape[2] : a.keyLengths[static_cast<size_t>(b)];
    headKV = h / (a.q.shape[1] / a.k.shape[1]);
    keys.clear();
    values.clear();
    for (int64_t j = 0; j < count; ++j) {
      keys.push_back(rowOf(a.k, b, headKV, j));
      values.push_back(rowOf(a.v, b, headKV, j));
    }
    for (int64_t i = 0; i < queries; ++i)
      query(b, h, i);
  }

  void query(int64_t b, int64_t h, int64_t i) {
    Row q = rowOf(a.q, b, h, i), gradient = rowOf(a.gradient, b, h, i), p(keys.size()), slopes(keys.size());
    double top = -std::numeric_limits<double>::infinity(), sum = 0;
    for (size_t j = 0; j < keys.size(); ++j) {
      auto at = static_cast<int64_t>(j);
      auto [score, slope] = a.score(a.scale * dot(q, keys[j]), b, h, i, at);
      p[j] = a.allowed(b, h, i, at) ? score : -std::numeric_limits<double>::infinity();
      slopes[j] = slope;
      top = std::max(top, p[j]);
    }
    if (std::isinf(top))
      return;
    for (double &value : p)
      sum += value = std::exp(value - top);
    double mean = 0; // of dP under P: the sum over the row of dO O
    for (size_t j = 0; j < keys.size(); ++j)
      mean += (p[j] /= sum) * dot(gradient, values[j]);
    for (size_t j = 0; j < keys.size(); ++j) {
      if (p[j] == 0)
        continue;
      auto at = static_cast<int64_t>(j);
      double ds = a.scale * slopes[j] * p[j] * (dot(gradient, values[j]) - mean);
      add(result.dv, placeOf(a.v, b, headKV, at), p[j], gradient);
      add(result.dq, placeOf(a.q, b, h, i), ds, keys[j]);
      add(result.dk, placeOf(a.k, b, headKV, at), ds, q);
    }
  }

  const NaiveAttention &a;
  int64_t headKV = 0;
  std::vector<Row> keys, values;
  Gradients result;
};

} // namespace

Gradients naiveGradients(const NaiveAttention &attention) { return Differentiation(attention).run(); }

} // namespace tercet::test
