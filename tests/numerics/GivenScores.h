// GivenScores: selection on scores written out, without tokens to make them from.
#pragma once

#include "Tiny.h"

namespace tercet::test {

using Classes = std::vector<int8_t>;
using ScoreRows = std::vector<std::vector<double>>; ///< per query block, per key block

/// A selection among blocks of two tokens by scores handed in as the table `gate`, one head after the other.
struct GivenScores {
  std::vector<ScoreRows> heads;
  reference::Selection selection = pairBlocks();
  int64_t headsKV = 1;
  std::vector<double> budgets;                          ///< per head; empty: none
  std::vector<std::pair<std::string, double>> settings; ///< runtime parameters

  explicit GivenScores(std::vector<ScoreRows> scores) : heads(std::move(scores)) {
    selection.scores.kind = reference::ScoreSource::Kind::given;
    selection.scores.table = "gate";
  }

  reference::Program program() const {
    using Axis = TableAxis;
    reference::Program program{.selection = selection,
                               .branches = {makeBranch(reference::Branch::Kind::sparse, reference::criticalBit)}};
    std::vector<int64_t> axes;
    for (Axis axis : {Axis::batch, Axis::head, Axis::queryBlock, Axis::keyBlock})
      axes.push_back(int64_t(axis));
    program.tables.push_back({"gate", axes, DType::f32});
    if (!budgets.empty()) {
      program.selection->budgets = "budgets";
      program.tables.push_back({"budgets", {int64_t(Axis::head)}, DType::f32});
    }
    for (const auto &[name, value] : settings)
      program.parameters.push_back(name);
    return program;
  }

  /// Calls body with the arguments of the call.
  template <typename Body> void call(Body body) const {
    using reference::OwnedTensor;
    int64_t count = int64_t(heads.size()), rows = int64_t(heads[0].size()), blocks = int64_t(heads[0][0].size());
    OwnedTensor q = OwnedTensor::make(DType::f32, {1, count, 2 * rows, 1});
    OwnedTensor k = OwnedTensor::make(DType::f32, {1, headsKV, 2 * blocks, 1});
    OwnedTensor gate = OwnedTensor::make(DType::f32, {1, count, rows, blocks});
    OwnedTensor amounts = OwnedTensor::make(DType::f32, {std::max<int64_t>(1, int64_t(budgets.size()))});
    for (int64_t h = 0; h < count; ++h)
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < blocks; ++j)
          gate.view().set(heads[h][i][j], 0, h, i, j);
    for (size_t h = 0; h < budgets.size(); ++h)
      amounts.view().set(budgets[h], int64_t(h));
    Arguments arguments{.tensors = {{"q", q.view()}, {"k", k.view()}, {"v", k.view()}, {"gate", gate.view()}},
                        .parameters = settings};
    if (!budgets.empty())
      arguments.tensors.emplace_back("budgets", amounts.view());
    body(arguments);
  }

  /// The classes of every row, one head after the other.
  std::vector<Classes> classes() const {
    std::vector<Classes> rows;
    call([&](const Arguments &arguments) {
      auto map = reference::selectClasses(program(), arguments);
      INFO(map.status().message());
      REQUIRE(map.ok());
      for (size_t at = 0; at < map->values.size(); at += size_t(map->blocksK))
        rows.emplace_back(map->values.begin() + at, map->values.begin() + at + map->blocksK);
    });
    return rows;
  }

  std::string refusal() const {
    std::string message;
    call([&](const Arguments &arguments) {
      message = reference::selectClasses(program(), arguments).status().message();
    });
    return message;
  }
};

/// P of a row.
inline std::vector<double> sharesOf(const std::vector<double> &scores) {
  double sum = 0;
  std::vector<double> shares;
  for (double score : scores)
    sum += std::exp(score);
  for (double score : scores)
    shares.push_back(std::exp(score) / sum);
  return shares;
}

/// Rows of scores that differ, of about the spread of logits; seeded.
inline std::vector<ScoreRows> randomScores(int64_t heads, int64_t rows, int64_t blocks, uint64_t seed) {
  reference::RandomStream random(seed, "scores");
  std::vector<ScoreRows> scores(heads, ScoreRows(rows, std::vector<double>(blocks)));
  uint64_t index = 0;
  for (ScoreRows &head : scores)
    for (std::vector<double> &row : head)
      for (double &score : row)
        score = float(2 * random.normal(index++));
  return scores;
}

} // namespace tercet::test
