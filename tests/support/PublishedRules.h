// PublishedRules: what published systems say about pairs of tokens, written once more from their papers, in plain C++ and
// apart from the specs that stand for them. Tests compare every backend's result for the spec with a softmax over these pairs.
#pragma once

#include "tercet/dialect/reference/Data.h"

#include <array>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace tercet::test {

/// A pair of tokens, and the sizes of its call.
struct Pair {
  int64_t batch, head, i, j;
  int64_t heads, tokensQ, tokensK;
};

/// Reads an element of a table of the call.
using TableReader = std::function<double(const char *name, std::vector<int64_t> index)>;
/// An element of a table, by its indices.
using Filling = std::function<double(std::array<int64_t, 4>)>;
/// A feature map of linear attention, element by element.
using FeatureMap = double (*)(double);

struct PublishedRule {
  std::string system; ///< as docs/coverage.md names it
  std::string spec;
  std::map<std::string, std::string> settings;
  std::vector<std::pair<std::string, double>> parameters;
  reference::Shape shape;
  /// Whether the pair takes part.
  std::function<bool(const Pair &, const TableReader &)> allowed;
  /// From the scaled product to the score; absent: as it is.
  std::function<double(double, const Pair &, const TableReader &)> score = {};
  /// Tables that must not be random.
  std::map<std::string, Filling> tables = {};
  /// Linear attention over all pairs instead of a softmax.
  FeatureMap features = nullptr;
};

/// Masks and biases of language models; rules on grids of tokens (images, video); tables of segments and masks handed in.
std::vector<PublishedRule> languageRules(), gridRules(), segmentRules();

/// The inputs of a rule's call, seeded.
reference::Data inputsOf(const PublishedRule &rule, DType dtype);

/// o [batch, heads, tokens, value dimension] and lse (empty for linear attention), in fp64.
struct RuleResult {
  std::vector<double> o, lse;
};
RuleResult evaluateRule(const PublishedRule &rule, const reference::Data &inputs);

} // namespace tercet::test
