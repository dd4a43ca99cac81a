// Tiny: calls small enough to work out by hand, as literals.
#pragma once

#include "tercet/dialect/reference/Data.h"
#include "tercet/dialect/reference/Evaluate.h"

#include <catch2/catch.hpp>

#include <initializer_list>
#include <string>
#include <vector>

namespace tercet::test {

/// Inputs of one call in f64, given as rows; keeps their memory.
class Tiny {
public:
  /// One batch, one head: tokens are the rows.
  Tiny &tokens(std::string name, std::vector<std::vector<double>> rows) {
    auto tensor = reference::OwnedTensor::make(DType::f64, {1, 1, int64_t(rows.size()), int64_t(rows[0].size())});
    for (size_t t = 0; t < rows.size(); ++t)
      for (size_t c = 0; c < rows[t].size(); ++c)
        tensor.view().set(rows[t][c], 0, 0, int64_t(t), int64_t(c));
    return add(std::move(name), std::move(tensor));
  }
  Tiny &matrix(std::string name, std::vector<std::vector<double>> rows) {
    auto tensor = reference::OwnedTensor::make(DType::f64, {int64_t(rows.size()), int64_t(rows[0].size())});
    for (size_t i = 0; i < rows.size(); ++i)
      for (size_t j = 0; j < rows[i].size(); ++j)
        tensor.view().set(rows[i][j], int64_t(i), int64_t(j));
    return add(std::move(name), std::move(tensor));
  }
  Tiny &vector(std::string name, DType dtype, std::vector<double> values) {
    auto tensor = reference::OwnedTensor::make(dtype, {int64_t(values.size())});
    for (size_t i = 0; i < values.size(); ++i)
      tensor.view().set(values[i], int64_t(i));
    return add(std::move(name), std::move(tensor));
  }
  /// classes [1, 1, rows, columns]
  Tiny &classes(std::vector<std::vector<int>> rows) {
    auto tensor = reference::OwnedTensor::make(DType::i8, {1, 1, int64_t(rows.size()), int64_t(rows[0].size())});
    for (size_t i = 0; i < rows.size(); ++i)
      for (size_t j = 0; j < rows[i].size(); ++j)
        tensor.view().set(rows[i][j], 0, 0, int64_t(i), int64_t(j));
    return add("classes", std::move(tensor));
  }
  Tiny &parameter(std::string name, double value) {
    parameters.emplace_back(std::move(name), value);
    return *this;
  }
  Arguments arguments() const {
    Arguments result = data.arguments();
    result.parameters = parameters;
    return result;
  }
  /// Evaluates everything; fails the test on an error.
  reference::Evaluation evaluate(const reference::Program &program) const {
    auto evaluation = reference::evaluate(program, arguments());
    INFO(evaluation.status().message());
    REQUIRE(evaluation.ok());
    return *std::move(evaluation);
  }

private:
  reference::Data data;
  std::vector<std::pair<std::string, double>> parameters;

  Tiny &add(std::string name, reference::OwnedTensor tensor) {
    data.tensors.emplace_back(std::move(name), std::move(tensor));
    return *this;
  }
};

/// Two doubles equal but for the last few roundings of fp64.
inline Approx near(double value) { return Approx(value).epsilon(1e-12).margin(1e-13); }

/// Blocks of two tokens: a selection that a row of digits shows whole.
inline reference::Selection pairBlocks() {
  reference::Selection selection;
  selection.blockQ = selection.blockK = 2;
  selection.keep = {"keep", 0.5, false, true};
  selection.drop = {"drop", 0, false, true};
  selection.minKeep.value = 1;
  return selection;
}

inline reference::Branch makeBranch(reference::Branch::Kind kind, uint8_t classes = reference::everyClass) {
  reference::Branch branch;
  branch.kind = kind;
  branch.name = reference::branchKindName(kind);
  branch.classes = classes;
  branch.scale.value = 1;
  return branch;
}

} // namespace tercet::test
