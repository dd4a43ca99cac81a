#include "PublishedRules.h"

#include "SpecSource.h"

#include <cmath>

namespace tercet::test {

reference::Data inputsOf(const PublishedRule &rule, DType dtype) {
  reference::Program program = programOf(specNamed(rule.spec, rule.settings));
  reference::Shape shape = rule.shape;
  shape.parameters = rule.parameters;
  reference::Data data = reference::makeData(program, shape, {.seed = 7, .dtype = dtype});
  for (const auto &[name, fill] : rule.tables) {
    const Tensor &table = data[name];
    for (int64_t i0 = 0; i0 < table.shape[0]; ++i0)
      for (int64_t i1 = 0; i1 < table.shape[1]; ++i1)
        for (int64_t i2 = 0; i2 < table.shape[2]; ++i2)
          for (int64_t i3 = 0; i3 < table.shape[3]; ++i3)
            table.set(fill({i0, i1, i2, i3}), i0, i1, i2, i3);
  }
  return data;
}

/// The weight of a pair in the sum of its row, before it is divided by the row's total.
static double weightOf(const PublishedRule &rule, const reference::Data &inputs, const Pair &pair,
                       const TableReader &read) {
  const Tensor &q = inputs["q"], &k = inputs["k"];
  int64_t d = q.shape[3], kvHead = pair.head / (q.shape[1] / k.shape[1]);
  double dot = 0;
  for (int64_t c = 0; c < d; ++c) {
    double x = q.get(pair.batch, pair.head, pair.i, c), y = k.get(pair.batch, kvHead, pair.j, c);
    dot += rule.features ? rule.features(x) * rule.features(y) : x * y;
  }
  if (rule.features)
    return dot;
  double score = dot / std::sqrt(static_cast<double>(d));
  return std::exp(rule.score ? rule.score(score, pair, read) : score);
}

RuleResult evaluateRule(const PublishedRule &rule, const reference::Data &inputs) {
  const Tensor &q = inputs["q"], &k = inputs["k"], &v = inputs["v"];
  TableReader read = [&](const char *name, std::vector<int64_t> index) {
    index.resize(4, 0);
    return inputs[name].get(index[0], index[1], index[2], index[3]);
  };
  int64_t heads = q.shape[1], group = heads / k.shape[1];
  RuleResult result;
  for (int64_t b = 0; b < q.shape[0]; ++b)
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t i = 0; i < q.shape[2]; ++i) {
        std::vector<double> sum(static_cast<size_t>(v.shape[3]), 0.0);
        double total = 0;
        for (int64_t j = 0; j < k.shape[2]; ++j) {
          Pair pair{b, h, i, j, heads, q.shape[2], k.shape[2]};
          if (!rule.allowed(pair, read))
            continue;
          double weight = weightOf(rule, inputs, pair, read);
          total += weight;
          for (size_t c = 0; c < sum.size(); ++c)
            sum[c] += weight * v.get(b, h / group, j, static_cast<int64_t>(c));
        }
        for (double value : sum)
          result.o.push_back(total > 0 ? value / total : 0);
        if (!rule.features)
          result.lse.push_back(std::log(total));
      }
  return result;
}

} // namespace tercet::test
