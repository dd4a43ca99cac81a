// PublishedSelections: how published systems pick blocks by scores, and what they compute with them, written once more from their
// papers over plain arrays. Where a spec says that it differs from its paper, the rule is the spec's.
#pragma once

#include "PublishedRules.h"

namespace tercet::test {

/// A class per block of a head: 1 exact, 0 the rest, -1 left out (also where a mask leaves the block nothing).
using BlockMap = std::vector<std::vector<int>>;

/// What the blocks of class 0 become.
enum class Rest { skipped, means, linear };

struct PublishedSelection {
  std::string system; ///< as docs/coverage.md names it
  std::string spec;
  std::map<std::string, std::string> settings;
  std::vector<std::pair<std::string, double>> parameters;
  reference::Shape shape;
  bool causal = false;
  Rest rest = Rest::skipped;
  /// The blocks of a head of the first batch entry.
  std::function<BlockMap(const reference::Data &inputs, int64_t head)> classes;
  /// What comes out, where that is more than exact blocks and `rest`.
  std::function<RuleResult(const reference::Data &inputs, const std::vector<BlockMap> &classes)> evaluate = {};
  int64_t queries = 16; ///< tokens of a block of queries
};

/// Systems of several branches (PublishedBranches.cpp).
PublishedSelection videoSparseAttention(), nativeSparseAttention();

/// All with blocks of 16 tokens of keys.
const std::vector<PublishedSelection> &publishedSelections();

/// The inputs of a selection's call, seeded: tokens in clusters, so that there is something to select.
reference::Data inputsOf(const PublishedSelection &selection);

/// o and lse of the first batch entry, by these classes per head.
RuleResult evaluateSelection(const PublishedSelection &selection, const reference::Data &inputs,
                             const std::vector<BlockMap> &classes);

} // namespace tercet::test
