// Selection from scores handed in: a spec by its rule and scope, a call, and the classes that docs/spec.md#select gives for it,
// in double precision and by sorting. Written for tests of a target's selection alone: no tokens decide anything.
#pragma once

#include "tercet/Session.h"
#include "tercet/dialect/reference/Data.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tercet::test {

/// What is compiled.
struct SelectionSpec {
  std::string keep = "top_fraction"; ///< top_fraction, top_count, top_mass, within_mass, above, relative or percentile
  std::string scope = "row", rounding = "floor";
  bool dropIsCount = false, diagonal = false, forcedCounts = false, budgets = false;
  Spec text() const;
};

/// Scores of the made-up kinds: all different, many equal, or with NaN and infinities among them.
enum class ScoreContent { distinct, ties, special };

/// One call; blocks are of 16 tokens.
struct SelectionCall {
  int64_t batch = 1, heads = 1, headsKV = 1, tokensQ = 70, tokensK = 170;
  double keep = 0.3, drop = 0;
  int64_t minKeep = 1, maxKeep = 1000, sink = 0;
  std::vector<int32_t> queryLengths, keyLengths;
  std::vector<double> budgets; ///< of the heads, or one
  ScoreContent content = ScoreContent::distinct;
  bool shared = false;        ///< scores of one batch entry and head for all
  std::vector<uint8_t> rules; ///< rule bytes [batch][heads][blocksQ][blocksK]; empty: none
  uint64_t seed = 1;

  int64_t blocksQ() const { return (tokensQ + 15) / 16; }
  int64_t blocksK() const { return (tokensK + 15) / 16; }
  reference::Data inputs() const;
  Arguments arguments(const reference::Data &inputs) const;
  uint8_t ruleAt(int64_t b, int64_t h, int64_t i, int64_t j) const {
    return rules.empty() ? 0 : rules[((b * heads + h) * blocksQ() + i) * blocksK() + j];
  }
};

/// Bits of a rule byte: what a mask and block sets say about a block.
enum RuleBits : uint8_t { ruleEmpty = 1, rulePartial = 2, ruleForced = 4, ruleForbidden = 8 };

/// A class byte per (batch, head, query block, key block); and how near P or its sums come to where a rule cuts them, as a
/// share, so that tests can keep away from what f32 cannot tell.
struct ExpectedClasses {
  std::vector<int8_t> values;
  double nearestCut = 1;
};
ExpectedClasses expectClasses(const SelectionSpec &spec, const SelectionCall &call, const Tensor &scores);

} // namespace tercet::test
