// The oracle against a second evaluation written here another way: selection by counting better blocks, linear
// attention through its state H and Z, softmax without a shift. On plain arrays, for one spec with every part: SLA.
#include "Tiny.h"
#include "support/Case.h"

#include <cmath>

using namespace tercet;
using namespace tercet::reference;
using namespace tercet::test;

namespace {

using Rows = std::vector<std::vector<double>>;

Rows rowsOf(const Tensor &tensor, int64_t batch, int64_t head) {
  Rows rows(tensor.shape[2], std::vector<double>(tensor.shape[3]));
  for (size_t t = 0; t < rows.size(); ++t)
    for (size_t c = 0; c < rows[t].size(); ++c)
      rows[t][c] = tensor.get(batch, head, int64_t(t), int64_t(c));
  return rows;
}

double dot(const std::vector<double> &a, const std::vector<double> &b) {
  double sum = 0;
  for (size_t c = a.size(); c-- > 0;)
    sum += a[c] * b[c];
  return sum;
}

std::vector<double> meanOf(const Rows &rows, size_t begin, size_t end) {
  std::vector<double> mean(rows[0].size());
  for (size_t t = begin; t < end; ++t)
    for (size_t c = 0; c < mean.size(); ++c)
      mean[c] += rows[t][c] / double(end - begin);
  return mean;
}

std::vector<double> softmaxOf(const std::vector<double> &x) {
  std::vector<double> result;
  double sum = 0;
  for (double value : x)
    sum += std::exp(value);
  for (double value : x)
    result.push_back(std::exp(value) / sum);
  return result;
}

/// Class of block j among scores: kept when fewer than `keep` blocks beat it, dropped when fewer than `drop` are worse.
int classOf(const std::vector<double> &scores, size_t j, int keep, int drop) {
  int better = 0, worse = 0;
  for (size_t other = 0; other < scores.size(); ++other) {
    better += scores[other] > scores[j];
    worse += scores[other] < scores[j];
  }
  return better < keep ? 1 : worse < drop ? -1 : 0;
}

/// o of one row of SLA over key blocks of `block` tokens with these classes.
std::vector<double> slaRow(const std::vector<double> &q, const Rows &k, const Rows &v, const std::vector<int> &classes,
                           size_t block, const Tensor &w, const Tensor &b) {
  size_t dim = q.size(), valueDim = v[0].size();
  std::vector<double> exact(valueDim), z(dim), features = softmaxOf(q);
  Rows h(dim, std::vector<double>(valueDim));
  double mass = 0;
  for (size_t t = 0; t < k.size(); ++t) {
    double p = std::exp(dot(q, k[t]) / std::sqrt(double(dim)));
    std::vector<double> phi = softmaxOf(k[t]);
    for (size_t c = 0; c < valueDim; ++c) {
      if (classes[t / block] == 1)
        exact[c] += p * v[t][c];
      for (size_t a = 0; a < dim; ++a)
        h[a][c] += classes[t / block] == 0 ? phi[a] * v[t][c] : 0;
    }
    mass += classes[t / block] == 1 ? p : 0;
    for (size_t a = 0; a < dim; ++a)
      z[a] += classes[t / block] == 0 ? phi[a] : 0;
  }
  std::vector<double> linear(valueDim), o(valueDim);
  for (size_t c = 0; c < valueDim; ++c)
    for (size_t a = 0; a < dim; ++a)
      linear[c] += features[a] * h[a][c] / dot(features, z);
  for (size_t e = 0; e < valueDim; ++e) {
    o[e] = exact[e] / mass + b.get(int64_t(e));
    for (size_t c = 0; c < valueDim; ++c)
      o[e] += linear[c] * w.get(int64_t(e), int64_t(c));
  }
  return o;
}

} // namespace

TEST_CASE("the oracle agrees with a second evaluation of SLA, selection included", "[oracle]") {
  Case entry{
      .name = "brute force",
      .spec = "sla",
      .settings = {{"block_q", "16"}, {"block_k", "16"}},
      .parameters = {{"keep", 0.3}, {"drop", 0.3}},
      .shape = {.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 37, .tokensK = 103, .headDim = 12, .valueDim = 5}};
  PreparedCase prepared = prepare(entry);
  auto evaluation = evaluate(prepared.program, prepared.arguments);
  REQUIRE(evaluation.ok());
  const int keep = 2, drop = 2; // 30 % of 7 key blocks, rounded down
  const size_t block = 16;
  size_t slot = 0;
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t head = 0; head < 4; ++head) {
      Rows q = rowsOf(prepared.inputs["q"], b, head);
      Rows k = rowsOf(prepared.inputs["k"], b, head / 2), v = rowsOf(prepared.inputs["v"], b, head / 2);
      for (size_t row = 0; row < q.size(); ++row, ++slot) {
        size_t i = row / block;
        std::vector<double> scores, meanQ = meanOf(q, i * block, std::min(q.size(), (i + 1) * block));
        for (size_t begin = 0; begin < k.size(); begin += block)
          scores.push_back(dot(meanQ, meanOf(k, begin, std::min(k.size(), begin + block))));
        std::vector<int> classes;
        for (size_t j = 0; j < scores.size(); ++j) {
          classes.push_back(classOf(scores, j, keep, drop));
          CHECK(int(evaluation->classes.at(b, head, int64_t(i), int64_t(j))) == classes[j]);
        }
        std::vector<double> o = slaRow(q[row], k, v, classes, block, prepared.inputs["w"], prepared.inputs["b"]);
        for (size_t c = 0; c < o.size(); ++c)
          REQUIRE(evaluation->result().o[slot * o.size() + c] == Approx(o[c]).epsilon(1e-11));
      }
    }
}
