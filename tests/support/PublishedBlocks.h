// PublishedBlocks: what the rules of published systems on blocks of tokens share: means of blocks, their scores, ranks.
#pragma once

#include "tercet/dialect/reference/Data.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <vector>

namespace tercet::test {

inline constexpr int64_t block = 16;
inline const std::map<std::string, std::string> blocks16 = {{"block_q", "16"}, {"block_k", "16"}};

using Row = std::vector<double>;
using Grid = std::vector<Row>;

inline Row softmaxOf(Row x) {
  double sum = 0;
  for (double &value : x)
    sum += value = std::exp(value);
  for (double &value : x)
    value /= sum;
  return x;
}

inline Row tokenOf(const Tensor &tokens, int64_t head, int64_t token) {
  Row row;
  for (int64_t c = 0; c < tokens.shape[3]; ++c)
    row.push_back(tokens.get(0, head, token, c));
  return row;
}

/// Means of the blocks of one head's tokens.
inline Grid blockMeans(const Tensor &tokens, int64_t head) {
  int64_t count = tokens.shape[2];
  Grid means;
  for (int64_t first = 0; first < count; first += block) {
    Row mean(static_cast<size_t>(tokens.shape[3]), 0.0);
    int64_t end = std::min(first + block, count);
    for (int64_t token = first; token < end; ++token)
      for (size_t c = 0; c < mean.size(); ++c)
        mean[c] += tokens.get(0, head, token, static_cast<int64_t>(c)) / double(end - first);
    means.push_back(mean);
  }
  return means;
}

inline double dotOf(const Row &a, const Row &b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

/// q mean . k mean / sqrt d for every pair of blocks of one head.
inline Grid pooledScores(const reference::Data &inputs, int64_t head) {
  int64_t headsPerKey = inputs["q"].shape[1] / inputs["k"].shape[1];
  Grid scores, queries = blockMeans(inputs["q"], head), keys = blockMeans(inputs["k"], head / headsPerKey);
  for (const Row &q : queries) {
    scores.emplace_back();
    for (const Row &k : keys)
      scores.back().push_back(dotOf(q, k) / std::sqrt(double(k.size())));
  }
  return scores;
}

/// Indices of `candidates`, best first.
inline std::vector<size_t> ranked(const Row &scores, std::vector<size_t> candidates) {
  std::stable_sort(candidates.begin(), candidates.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  return candidates;
}

} // namespace tercet::test
