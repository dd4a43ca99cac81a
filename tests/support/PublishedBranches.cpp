// Systems that add several attentions: Video Sparse Attention and Native Sparse Attention.
#include "PublishedBlocks.h"
#include "PublishedSelections.h"

namespace tercet::test {
namespace {

/// Attention of one query to keys and values, those that `sees` names.
template <typename Sees> Row attend(const Row &query, const Grid &keys, const Grid &values, Sees sees) {
  Row sum(values.empty() ? 0 : values[0].size(), 0.0);
  double total = 0;
  for (size_t j = 0; j < keys.size(); ++j) {
    if (!sees(int64_t(j)))
      continue;
    double weight = std::exp(dotOf(query, keys[j]) / std::sqrt(double(query.size())));
    total += weight;
    for (size_t c = 0; c < sum.size(); ++c)
      sum[c] += weight * values[j][c];
  }
  for (double &value : sum)
    value = total > 0 ? value / total : 0;
  return sum;
}

Grid tokensOf(const Tensor &tokens, int64_t head) {
  Grid grid;
  for (int64_t t = 0; t < tokens.shape[2]; ++t)
    grid.push_back(tokenOf(tokens, head, t));
  return grid;
}

/// Frames, height and width of VSA's grid, whole cubes of 2 x 2 x 4 tokens.
constexpr int64_t grid[3] = {4, 6, 8}, cube[3] = {2, 2, 4};

/// Tokens cube by cube, and those behind the grid as they are.
std::vector<int64_t> cubeByCube(int64_t tokens) {
  std::vector<int64_t> order;
  for (int64_t cubeT = 0; cubeT < grid[0]; cubeT += cube[0])
    for (int64_t cubeY = 0; cubeY < grid[1]; cubeY += cube[1])
      for (int64_t cubeX = 0; cubeX < grid[2]; cubeX += cube[2])
        for (int64_t inside = 0; inside < block; ++inside) {
          int64_t t = cubeT + inside / (cube[1] * cube[2]), y = cubeY + inside / cube[2] % cube[1];
          order.push_back((t * grid[1] + y) * grid[2] + cubeX + inside % cube[2]);
        }
  for (auto token = static_cast<int64_t>(order.size()); token < tokens; ++token)
    order.push_back(token);
  return order;
}

/// Queries, keys and values cube by cube.
reference::Data inCubes(const reference::Data &inputs) {
  reference::Data result;
  for (const char *name : {"q", "k", "v"}) {
    const Tensor &from = inputs[name];
    result.tensors.emplace_back(name, reference::OwnedTensor::make(from.dtype, {from.shape.begin(), from.shape.end()}));
    const Tensor &to = result.tensors.back().second.view();
    std::vector<int64_t> order = cubeByCube(from.shape[2]);
    for (int64_t h = 0; h < from.shape[1]; ++h)
      for (int64_t t = 0; t < from.shape[2]; ++t)
        for (int64_t c = 0; c < from.shape[3]; ++c)
          to.set(from.get(0, h, order[size_t(t)], c), 0, h, t, c);
  }
  return result;
}

/// VSA: per cube of queries the best 30 % of the cubes of keys, rounded up.
BlockMap vsaCubes(const reference::Data &asGiven, int64_t head) {
  reference::Data inputs = inCubes(asGiven);
  Grid scores = pooledScores(inputs, head);
  BlockMap map(scores.size(), std::vector<int>(scores[0].size(), 0));
  for (size_t bi = 0; bi < map.size(); ++bi) {
    std::vector<size_t> order(map[bi].size());
    std::iota(order.begin(), order.end(), size_t(0));
    order = ranked(scores[bi], order);
    for (size_t rank = 0; rank < (order.size() * 3 + 9) / 10; ++rank)
      map[bi][order[rank]] = 1;
  }
  return map;
}

/// Attention between means of cubes, times the gate, and attention to the tokens of the cubes chosen.
RuleResult vsa(const reference::Data &asGiven, const std::vector<BlockMap> &classes) {
  RuleResult result;
  reference::Data inputs = inCubes(asGiven);
  const Tensor &q = inputs["q"], &gate = asGiven["gate"];
  std::vector<int64_t> order = cubeByCube(q.shape[2]);
  for (int64_t h = 0; h < q.shape[1]; ++h) {
    Grid keys = tokensOf(inputs["k"], h), values = tokensOf(inputs["v"], h);
    Grid cubes = blockMeans(q, h), cubeKeys = blockMeans(inputs["k"], h), cubeValues = blockMeans(inputs["v"], h);
    for (int64_t i = 0; i < q.shape[2]; ++i) {
      Row coarse = attend(cubes[size_t(i / block)], cubeKeys, cubeValues, [](int64_t) { return true; });
      const std::vector<int> &row = classes[size_t(h)][size_t(i / block)];
      Row fine = attend(tokenOf(q, h, i), keys, values, [&](int64_t j) { return row[size_t(j / block)] == 1; });
      int64_t token = order[size_t(i)];
      result.o.resize(size_t(q.shape[1] * q.shape[2]) * fine.size());
      for (size_t c = 0; c < fine.size(); ++c)
        result.o[size_t(h * q.shape[2] + token) * fine.size() + c] =
            coarse[c] * gate.get(0, h, token, int64_t(c)) + fine[c];
    }
  }
  return result;
}

constexpr size_t nsaBlocks = 5; ///< of a query, the three that it always takes among them
constexpr int64_t nsaWindow = 20, runLength = 8, runStride = 4;

/// Means of runs of tokens that start a stride apart.
Grid runsOf(const Grid &tokens) {
  Grid runs;
  for (int64_t first = 0; first + runLength <= int64_t(tokens.size()); first += runStride) {
    Row mean(tokens[0].size(), 0.0);
    for (int64_t t = first; t < first + runLength; ++t)
      for (size_t c = 0; c < mean.size(); ++c)
        mean[c] += tokens[size_t(t)][c] / double(runLength);
    runs.push_back(mean);
  }
  return runs;
}

/// How many runs have passed when query i comes, its own token included.
int64_t runsPassed(int64_t i) { return i + 1 < runLength ? 0 : (i + 1 - runLength) / runStride + 1; }

/// Equation 9 of the NSA paper, its indices counted from 1: the importance of block j is the sum over m below l' / d and n below l / d of
/// the probability of run l' / d j - m - n, where l' is the block, l the run and d the stride.
double importance(const Row &probabilities, int64_t j) {
  double sum = 0;
  for (int64_t m = 0; m < block / runStride; ++m)
    for (int64_t n = 0; n < runLength / runStride; ++n)
      if (int64_t run = block / runStride * j - m - n; run >= 1 && run <= int64_t(probabilities.size()))
        sum += probabilities[size_t(run - 1)];
  return sum;
}

/// NSA: for every query nsaBlocks blocks of the past: the one that it is in, the one before, the first, and those of most importance to
/// the heads of its group, by the probabilities of runs (equations 8 to 10).
BlockMap nsaChoice(const reference::Data &inputs, int64_t head) {
  const Tensor &q = inputs["q"], &k = inputs["k"];
  int64_t perKey = q.shape[1] / k.shape[1];
  Grid runs = runsOf(tokensOf(k, head / perKey));
  auto blocks = size_t((k.shape[2] + block - 1) / block);
  BlockMap map;
  for (int64_t i = 0; i < q.shape[2]; ++i) {
    auto own = size_t(i / block);
    Row importances(own + 1, 0.0);
    for (int64_t h = head / perKey * perKey; h < (head / perKey + 1) * perKey; ++h) {
      Row probabilities;
      for (int64_t run = 0; run < runsPassed(i); ++run)
        probabilities.push_back(dotOf(tokenOf(q, h, i), runs[size_t(run)]) / std::sqrt(double(q.shape[3])));
      probabilities = softmaxOf(probabilities);
      for (size_t bj = 0; bj <= own; ++bj)
        importances[bj] += importance(probabilities, int64_t(bj) + 1);
    }
    std::vector<int> row(blocks, -1);
    std::vector<size_t> others;
    size_t taken = 0;
    for (size_t bj = 0; bj <= own; ++bj) {
      row[bj] = bj == 0 || bj == own || bj + 1 == own;
      taken += size_t(row[bj]);
      if (row[bj] == 0)
        others.push_back(bj);
    }
    others = ranked(importances, others);
    for (size_t rank = 0; rank < others.size() && taken < nsaBlocks; ++rank, ++taken)
      row[others[rank]] = 1;
    map.push_back(row);
  }
  return map;
}

RuleResult nsa(const reference::Data &inputs, const std::vector<BlockMap> &classes) {
  RuleResult result;
  const Tensor &q = inputs["q"], &gates = inputs["gates"];
  int64_t perKey = q.shape[1] / inputs["k"].shape[1];
  for (int64_t h = 0; h < q.shape[1]; ++h) {
    Grid keys = tokensOf(inputs["k"], h / perKey), values = tokensOf(inputs["v"], h / perKey);
    Grid runKeys = runsOf(keys), runValues = runsOf(values);
    for (int64_t i = 0; i < q.shape[2]; ++i) {
      Row query = tokenOf(q, h, i);
      const std::vector<int> &row = classes[size_t(h)][size_t(i)];
      Row parts[] = {
          attend(query, runKeys, runValues, [&](int64_t c) { return c < runsPassed(i); }),
          attend(query, keys, values, [&](int64_t j) { return j <= i && row[size_t(j / block)] == 1; }),
          attend(query, keys, values, [&](int64_t j) { return j <= i && j > i - nsaWindow; }),
      };
      for (size_t c = 0; c < parts[0].size(); ++c) {
        double sum = 0;
        for (int64_t part = 0; part < 3; ++part)
          sum += parts[part][c] / (1 + std::exp(-gates.get(0, h, i, part)));
        result.o.push_back(sum);
      }
    }
  }
  return result;
}

} // namespace

PublishedSelection videoSparseAttention() {
  return {"VSA",
          "vsa",
          {{"block", "16"}, {"tile_t", "2"}, {"tile_y", "2"}, {"tile_x", "4"}},
          {{"keep", 0.3}, {"frames", double(grid[0])}, {"height", double(grid[1])}, {"width", double(grid[2])}},
          {.batch = 1, .heads = 2, .tokensQ = 192 + 8, .tokensK = 192 + 40, .headDim = 24},
          false,
          Rest::skipped,
          vsaCubes,
          vsa};
}

PublishedSelection nativeSparseAttention() {
  return {"NSA (runs by means)",
          "nsa",
          {{"block_k", "16"}, {"length", "8"}, {"stride", "4"}},
          {{"blocks", double(nsaBlocks - 3)}, {"window", double(nsaWindow)}},
          {.batch = 1, .heads = 4, .headsKV = 2, .tokensQ = 170, .headDim = 24},
          true,
          Rest::skipped,
          nsaChoice,
          nsa,
          /*queries=*/1};
}

} // namespace tercet::test
