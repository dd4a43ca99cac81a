// HeadEvaluator: every branch of a program at rows of one head.
#pragma once

#include "HeadTokens.h"

namespace tercet::reference {

/// One thread at a time.
template <typename Real> class HeadEvaluator {
public:
  /// lag: of maxima (softmaxRow); none where kernels follow theirs.
  HeadEvaluator(HeadTokens<Real> &tokens, DType probabilities, Real lag = 0)
      : tokens(tokens), program(tokens.program), valueDim(tokens.valueDim()), probabilities(probabilities), lag(lag) {}

  /// blocks: of the row's query block.
  std::vector<Row<Real>> evaluate(int64_t row, RowBlocks blocks) {
    std::vector<Row<Real>> results;
    if (row >= tokens.lengthQ) {
      results.assign(program.branches.size(), nothing());
      return results;
    }
    for (const Branch &branch : program.branches)
      results.push_back(evaluateBranch(branch, row, blocks, results));
    return results;
  }

  /// The input of a by_head branch that this head takes; none where it takes no branch.
  std::optional<size_t> chosen(const Branch &branch) const {
    const Tensor &choice = *tokens.operands.arguments->find(branch.choice);
    double number = choice.get(std::min(tokens.head, choice.shape[0] - 1));
    if (number < 0 || number >= static_cast<double>(branch.inputs.size()))
      return {};
    return branch.inputs[static_cast<size_t>(number)];
  }

private:
  HeadTokens<Real> &tokens;
  const Program &program;
  int64_t valueDim;
  DType probabilities;
  Real lag;

  Row<Real> nothing() const { return {std::vector<Real>(valueDim, Real(0))}; }

  Row<Real> evaluateBranch(const Branch &branch, int64_t row, RowBlocks blocks, const std::vector<Row<Real>> &earlier) {
    switch (branch.kind) {
    case Branch::Kind::sparse:
    case Branch::Kind::blockMean:
    case Branch::Kind::compressed:
      return softmaxRow(tokens.softmaxTerms(branch, row, blocks).terms, valueDim, probabilities, lag);
    case Branch::Kind::linear:
      return linear(branch, row, blocks);
    case Branch::Kind::project:
      return project(branch, earlier[branch.inputs[0]]);
    case Branch::Kind::gate:
      return gate(branch, row, earlier[branch.inputs[0]]);
    case Branch::Kind::sum:
      return sum(branch, earlier);
    case Branch::Kind::byHead: {
      std::optional<size_t> input = chosen(branch);
      return input ? earlier[*input] : nothing();
    }
    case Branch::Kind::joint:
      break;
    }
    std::vector<const Row<Real> *> parts;
    for (size_t input : branch.inputs)
      parts.push_back(&earlier[input]);
    return mergeRows(parts, valueDim);
  }

  Row<Real> linear(const Branch &branch, int64_t row, RowBlocks blocks) const {
    std::vector<Real> q = tokens.query(row), featuresQ(q.size());
    applyFeatureMap(branch.featureMap, q.data(), tokens.headDim(), featuresQ.data());
    return linearRow(featuresQ.data(), tokens.features(branch.featureMap), tokens.values(),
                     tokens.tokensOf(branch, blocks), static_cast<Real>(tokens.operands.value(branch.eps)));
  }

  Row<Real> project(const Branch &branch, const Row<Real> &input) const {
    const Tensor *w = tokens.operands.arguments->find(branch.weight), *b = tokens.operands.arguments->find(branch.bias);
    Row<Real> row{input.o};
    for (int64_t e = 0; e < valueDim; ++e) {
      if (w && *w) {
        row.o[e] = 0;
        for (int64_t c = 0; c < valueDim; ++c)
          row.o[e] += input.o[c] * static_cast<Real>(w->get(e, c));
      }
      if (b && *b)
        row.o[e] += static_cast<Real>(b->get(e));
    }
    return row;
  }

  Row<Real> gate(const Branch &branch, int64_t row, const Row<Real> &input) const {
    Row<Real> result = input;
    PairEvaluator &factor = *tokens.regionOf(branch);
    for (int64_t e = 0; e < valueDim; ++e)
      result.o[e] *= static_cast<Real>(factor.factor(row, e));
    return result;
  }

  Row<Real> sum(const Branch &branch, const std::vector<Row<Real>> &earlier) const {
    Row<Real> row = nothing();
    for (size_t input : branch.inputs) {
      for (int64_t c = 0; c < valueDim; ++c)
        row.o[c] += earlier[input].o[c];
      if (program.hasLse(input))
        row.lse = earlier[input].lse;
    }
    return row;
  }
};

} // namespace tercet::reference
