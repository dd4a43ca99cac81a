#include "PublishedSelections.h"

#include "PublishedBlocks.h"
#include "SpecSource.h"

namespace tercet::test {
namespace {

/// Makes exact in `row` the fewest blocks of class 0, best first, that bring the share of exact ones up to `mass`.
void fillUp(std::vector<int> &row, const Row &shares, double mass) {
  double held = 0;
  std::vector<size_t> candidates;
  for (size_t bj = 0; bj < row.size(); ++bj) {
    held += row[bj] == 1 ? shares[bj] : 0;
    if (row[bj] == 0)
      candidates.push_back(bj);
  }
  for (size_t bj : ranked(shares, candidates))
    if (held < mass - 1e-9) {
      held += shares[bj];
      row[bj] = 1;
    }
}

/// The softmax of a row without the blocks that are exact already, which weigh nothing.
Row softmaxOfRest(Row scores, const std::vector<int> &row) {
  if (std::count(row.begin(), row.end(), 0) == 0)
    return Row(scores.size(), 0.0);
  for (size_t bj = 0; bj < row.size(); ++bj)
    if (row[bj] == 1)
      scores[bj] = -HUGE_VAL;
  return softmaxOf(scores);
}

/// The mean cosine over all pairs of tokens of a block.
double likeness(const Tensor &tokens, int64_t head, size_t blockIndex) {
  auto first = static_cast<int64_t>(blockIndex) * block, end = std::min(first + block, tokens.shape[2]);
  double sum = 0;
  for (int64_t a = first; a < end; ++a)
    for (int64_t b = first; b < end; ++b) {
      double dot = 0, normA = 0, normB = 0;
      for (int64_t c = 0; c < tokens.shape[3]; ++c) {
        double x = tokens.get(0, head, a, c), y = tokens.get(0, head, b, c);
        dot += x * y, normA += x * x, normB += y * y;
      }
      sum += dot / std::sqrt(normA * normB);
    }
  return sum / double((end - first) * (end - first));
}

BlockMap emptyMap(const Grid &scores) { return BlockMap(scores.size(), std::vector<int>(scores[0].size(), 0)); }

/// SLA: per row the best of 40 % (rounded down), the worst of 30 %.
BlockMap sla(const reference::Data &inputs, int64_t head) {
  Grid scores = pooledScores(inputs, head);
  BlockMap map = emptyMap(scores);
  for (size_t bi = 0; bi < map.size(); ++bi) {
    std::vector<size_t> order(map[bi].size());
    std::iota(order.begin(), order.end(), size_t(0));
    order = ranked(scores[bi], order);
    for (size_t rank = 0; rank < order.size() * 4 / 10; ++rank)
      map[bi][order[rank]] = 1;
    for (size_t rank = 0; rank < order.size() * 3 / 10; ++rank)
      map[bi][order[order.size() - 1 - rank]] = -1;
  }
  return map;
}

/// BiFormer: the 3 best regions of keys of every region of queries.
BlockMap biformer(const reference::Data &inputs, int64_t head) {
  Grid scores = pooledScores(inputs, head);
  BlockMap map = emptyMap(scores);
  for (size_t bi = 0; bi < map.size(); ++bi)
    for (int time = 0; time < 3; ++time) {
      size_t best = 0;
      for (size_t bj = 1; bj < map[bi].size(); ++bj)
        if (map[bi][best] == 1 || (map[bi][bj] == 0 && scores[bi][bj] > scores[bi][best]))
          best = bj;
      map[bi][best] = 1;
    }
  return map;
}

/// MoBA: for every query the block that it is in, and the two earlier ones whose mean keys it likes best.
BlockMap moba(const reference::Data &inputs, int64_t head) {
  const Tensor &q = inputs["q"];
  Grid keys = blockMeans(inputs["k"], head * inputs["k"].shape[1] / q.shape[1]);
  BlockMap map;
  for (int64_t i = 0; i < q.shape[2]; ++i) {
    std::vector<int> row(keys.size(), -1);
    std::vector<size_t> earlier;
    Row gate;
    for (size_t bj = 0; bj <= size_t(i / block); ++bj) {
      gate.push_back(dotOf(tokenOf(q, head, i), keys[bj]));
      row[bj] = bj == size_t(i / block);
      if (row[bj] == 0)
        earlier.push_back(bj);
    }
    earlier = ranked(gate, earlier);
    for (size_t rank = 0; rank < std::min<size_t>(2, earlier.size()); ++rank)
      row[earlier[rank]] = 1;
    map.push_back(row);
  }
  return map;
}

/// SpargeAttn: blocks of unlike tokens, and of the others the best whose cumulated share is at most the mass, at least one.
BlockMap spargeattn(const reference::Data &inputs, int64_t head) {
  const double theta = 0.62, mass = 0.7;
  Grid scores = pooledScores(inputs, head);
  BlockMap map = emptyMap(scores);
  for (size_t bi = 0; bi < map.size(); ++bi) {
    bool unlikeRow = likeness(inputs["q"], head, bi) < theta;
    for (size_t bj = 0; bj < map[bi].size(); ++bj)
      map[bi][bj] = unlikeRow || likeness(inputs["k"], head, bj) < theta;
    std::vector<size_t> alike;
    for (size_t bj = 0; bj < map[bi].size(); ++bj)
      if (map[bi][bj] == 0)
        alike.push_back(bj);
    Row shares = softmaxOfRest(scores[bi], map[bi]);
    double cumulated = 0;
    bool isFirst = true;
    for (size_t bj : ranked(shares, alike)) {
      cumulated += shares[bj];
      if (isFirst || cumulated <= mass)
        map[bi][bj] = 1;
      isFirst = false;
    }
  }
  return map;
}

/// Faster VGGT: the first block is special; of the others at least 4 blocks of a row.
BlockMap vggt(const reference::Data &inputs, int64_t head) {
  Grid scores = pooledScores(inputs, head);
  BlockMap map = emptyMap(scores);
  for (size_t bi = 0; bi < map.size(); ++bi) {
    for (size_t bj = 0; bj < map[bi].size(); ++bj)
      map[bi][bj] = bi == 0 || bj == 0;
    Row shares = softmaxOfRest(scores[bi], map[bi]);
    fillUp(map[bi], shares, 0.4);
    while (std::count(map[bi].begin() + 1, map[bi].end(), 1) < 4) {
      size_t best = 0; // the first block is exact already
      for (size_t bj = 1; bj < map[bi].size(); ++bj)
        if (map[bi][bj] == 0 && (best == 0 || shares[bj] > shares[best]))
          best = bj;
      map[bi][best] = 1;
    }
  }
  return map;
}

/// XAttention in groups of 4 tokens: shares of the groups of keys in the blocks of the past.
BlockMap xattention(const reference::Data &inputs, int64_t head) {
  constexpr int64_t stride = 4, groups = block / stride;
  const Tensor &q = inputs["q"], &k = inputs["k"];
  int64_t blocks = q.shape[2] / block;
  BlockMap map(size_t(blocks), std::vector<int>(size_t(blocks), 0));
  for (int64_t bi = 0; bi < blocks; ++bi) {
    Row shares(size_t(blocks), 0.0);
    for (int64_t r = bi * groups; r < (bi + 1) * groups; ++r) {
      Row row;
      for (int64_t g = 0; g < (bi + 1) * groups; ++g) {
        double sum = 0;
        for (int64_t t = 0; t < stride; ++t)
          for (int64_t c = 0; c < q.shape[3]; ++c)
            sum += q.get(0, head, r * stride + stride - 1 - t, c) * k.get(0, head, g * stride + t, c);
        row.push_back(sum / (std::sqrt(double(q.shape[3])) * double(stride)));
      }
      row = softmaxOf(row);
      for (size_t g = 0; g < row.size(); ++g)
        shares[g / groups] += row[g] / double(groups);
    }
    std::vector<int> &classes = map[size_t(bi)];
    std::fill(classes.begin() + bi + 1, classes.end(), -1);
    classes[0] = classes[size_t(bi)] = 1;
    fillUp(classes, shares, 0.6);
  }
  return map;
}

/// DraftAttention: of all pairs of a head, those from the half's highest share of its row on.
BlockMap draftattention(const reference::Data &inputs, int64_t head) {
  Grid scores = pooledScores(inputs, head);
  for (Row &row : scores)
    row = softmaxOf(row);
  BlockMap map = emptyMap(scores);
  Row flat;
  for (const Row &row : scores)
    flat.insert(flat.end(), row.begin(), row.end());
  std::sort(flat.begin(), flat.end());
  double threshold = flat[(flat.size() + 1) / 2 - 1];
  for (size_t bi = 0; bi < map.size(); ++bi)
    for (size_t bj = 0; bj < map[bi].size(); ++bj)
      map[bi][bj] = scores[bi][bj] >= threshold;
  return map;
}

BlockMap seerattention(const reference::Data &inputs, int64_t head) {
  const Tensor &gates = inputs["gate"];
  auto blocks = static_cast<size_t>(gates.shape[2]);
  BlockMap map(blocks, std::vector<int>(blocks, -1));
  for (size_t bi = 0; bi < blocks; ++bi) {
    Row gate;
    for (size_t bj = 0; bj <= bi; ++bj)
      gate.push_back(gates.get(0, head, int64_t(bi), int64_t(bj)));
    gate = softmaxOf(gate);
    for (size_t bj = 0; bj <= bi; ++bj)
      map[bi][bj] = bj == bi || bi + 2 >= blocks || gate[bj] >= 0.15;
  }
  return map;
}

/// MRA-2: a quarter of a head's pairs, the diagonal among them.
BlockMap mra2(const reference::Data &inputs, int64_t head) {
  Grid scores = pooledScores(inputs, head);
  BlockMap map = emptyMap(scores);
  size_t columns = map[0].size(), count = map.size() * columns;
  Row flat;
  std::vector<size_t> others;
  for (size_t at = 0; at < count; ++at) {
    flat.push_back(scores[at / columns][at % columns]);
    if (at / columns == at % columns)
      map[at / columns][at % columns] = 1;
    else
      others.push_back(at);
  }
  others = ranked(flat, others);
  for (size_t rank = 0; rank < count / 4 - map.size(); ++rank)
    map[others[rank] / columns][others[rank] % columns] = 1;
  return map;
}

} // namespace

const std::vector<PublishedSelection> &publishedSelections() {
  const reference::Shape ragged{.batch = 1, .heads = 2, .tokensQ = 120, .tokensK = 200, .headDim = 24};
  const reference::Shape square{.batch = 1, .heads = 2, .tokensQ = 160, .headDim = 24};
  const reference::Shape grouped{.batch = 1, .heads = 4, .headsKV = 2, .tokensQ = 161, .headDim = 24};
  std::map<std::string, std::string> strided = blocks16;
  strided["stride"] = "4";
  static const std::vector<PublishedSelection> selections = {
      {"SLA", "sla", blocks16, {{"keep", 0.4}, {"drop", 0.3}}, ragged, false, Rest::linear, sla},
      {"BiFormer", "biformer", blocks16, {{"top", 3}}, ragged, false, Rest::skipped, biformer},
      {"MoBA",
       "moba",
       {{"block_k", "16"}},
       {{"others", 2}},
       grouped,
       true,
       Rest::skipped,
       moba,
       {},
       /*queries=*/1},
      {"SpargeAttn",
       "spargeattn",
       blocks16,
       {{"theta", 0.62}, {"mass", 0.7}},
       ragged,
       false,
       Rest::skipped,
       spargeattn},
      {"Faster VGGT", "vggt", blocks16, {{"mass", 0.4}, {"min_keep", 4}}, ragged, false, Rest::skipped, vggt},
      {"XAttention", "xattention", strided, {{"mass", 0.6}}, square, true, Rest::skipped, xattention},
      {"DraftAttention",
       "draftattention",
       blocks16,
       {{"threshold", 0.5}},
       ragged,
       false,
       Rest::skipped,
       draftattention},
      {"SeerAttention (given gate scores)",
       "seerattention",
       blocks16,
       {{"threshold", 0.15}},
       square,
       true,
       Rest::skipped,
       seerattention},
      {"MRA-2", "mra2", blocks16, {{"keep", 0.25}}, square, false, Rest::means, mra2},
      videoSparseAttention(),
      nativeSparseAttention()};
  return selections;
}

reference::Data inputsOf(const PublishedSelection &selection) {
  reference::Program program = programOf(specNamed(selection.spec, selection.settings));
  reference::Shape shape = selection.shape;
  shape.parameters = selection.parameters;
  return reference::makeData(program, shape, {.seed = 11, .scale = 2, .structure = 0.8});
}

/// Softmax over the features of a token.
static Row featuresOf(const Tensor &tokens, int64_t head, int64_t token) {
  return softmaxOf(tokenOf(tokens, head, token));
}

/// Adds O_l W^T + b of a row of queries, its linear part being the blocks of class 0.
static void addLinear(Row &o, const reference::Data &inputs, int64_t head, int64_t i, const std::vector<int> &row) {
  const Tensor &k = inputs["k"], &v = inputs["v"];
  Row query = featuresOf(inputs["q"], head, i), sum(o.size(), 0.0);
  double total = 0;
  for (int64_t j = 0; j < k.shape[2]; ++j) {
    if (row[size_t(j / block)] != 0)
      continue;
    double weight = dotOf(query, featuresOf(k, head, j));
    total += weight;
    for (size_t c = 0; c < sum.size(); ++c)
      sum[c] += weight * v.get(0, head, j, int64_t(c));
  }
  for (size_t c = 0; c < o.size(); ++c) {
    o[c] += inputs["b"].get(int64_t(c));
    for (size_t x = 0; x < o.size() && total > 0; ++x)
      o[c] += inputs["w"].get(int64_t(c), int64_t(x)) * sum[x] / total;
  }
}

RuleResult evaluateSelection(const PublishedSelection &selection, const reference::Data &inputs,
                             const std::vector<BlockMap> &classes) {
  if (selection.evaluate)
    return selection.evaluate(inputs, classes);
  const Tensor &q = inputs["q"], &k = inputs["k"], &v = inputs["v"];
  double scale = 1 / std::sqrt(double(q.shape[3]));
  RuleResult result;
  for (int64_t h = 0; h < q.shape[1]; ++h) {
    int64_t ofKeys = h * k.shape[1] / q.shape[1];
    Grid meanQueries = blockMeans(q, h), meanKeys = blockMeans(k, ofKeys), meanValues = blockMeans(v, ofKeys);
    for (int64_t i = 0; i < q.shape[2]; ++i) {
      const std::vector<int> &row = classes[size_t(h)][size_t(i / selection.queries)];
      Row query = tokenOf(q, h, i), sum(size_t(v.shape[3]), 0.0);
      double total = 0;
      for (int64_t j = 0; j < k.shape[2]; ++j) {
        if (row[size_t(j / block)] != 1 || (selection.causal && j > i))
          continue;
        double weight = std::exp(dotOf(query, tokenOf(k, ofKeys, j)) * scale);
        total += weight;
        for (size_t c = 0; c < sum.size(); ++c)
          sum[c] += weight * v.get(0, ofKeys, j, int64_t(c));
      }
      for (size_t bj = 0; bj < row.size() && selection.rest == Rest::means; ++bj) {
        if (row[bj] != 0)
          continue;
        auto tokens = double(std::min(block, k.shape[2] - int64_t(bj) * block));
        double weight = tokens * std::exp(dotOf(meanQueries[size_t(i / block)], meanKeys[bj]) * scale);
        total += weight;
        for (size_t c = 0; c < sum.size(); ++c)
          sum[c] += weight * meanValues[bj][c];
      }
      for (double &value : sum)
        value = total > 0 ? value / total : 0;
      if (selection.rest == Rest::linear)
        addLinear(sum, inputs, h, i, row);
      result.o.insert(result.o.end(), sum.begin(), sum.end());
      result.lse.push_back(std::log(total));
    }
  }
  return result;
}

} // namespace tercet::test
