// Selection: how a bound spec classifies its blocks (docs/spec.md#select, #pattern), as data that both targets read.
#pragma once

#include "PairOperands.h"

#include "tercet/Builtins.h"
#include "tercet/Plan.h"
#include "tercet/dialect/TercetDialect.h"

#include <optional>
#include <string>

namespace tercet::compiler {

/// Where scores come from. none: tercet.pattern, classes by the set `forced` alone.
enum class ScoreKind { none, pooled, sampled, compressed, given };

/// Scores by pools of keys (docs/spec.md#compressed_scores).
struct CompressedScores {
  int64_t length = 0, stride = 0;
  std::string weights;           ///< name of a table; empty: means
  std::string scale;             ///< a parameter's name; empty: the default scale
  mlir::Region *where = nullptr; ///< null: every query sees every pool
  /// Pools of a pair with so many keys, and words of 32 bits with a bit for each (SeenPools of tercet/Builtins.h).
  Expr pools(const Expr &keys) const { return ceildiv(keys, stride); }
  Expr words(const Expr &keys) const { return ceildiv(pools(keys), 32); }
};

/// Numbers are names of runtime parameters; an empty name stands for the default said beside it.
struct Selection {
  int64_t blockQ = 0, blockK = 0;

  ScoreKind scores = ScoreKind::none;
  bool center = false; ///< pooled
  std::string guard;   ///< pooled; default: no guard
  int64_t stride = 0;  ///< sampled
  std::string table;   ///< given: name of the argument
  CompressedScores compressed;

  KeepRule keepRule = KeepRule::fraction;
  CountRule countRule = CountRule::floor;
  SelectScope scope = SelectScope::row;
  bool dropIsCount = false, diagonal = false, forcedCounts = false, apart = false, byShare = false;
  std::string keep;    ///< always a parameter, but for a pattern
  std::string drop;    ///< default: none
  std::string minKeep; ///< default: 1 where keep > 0
  std::string maxKeep; ///< default: no bound
  std::string sink;    ///< default: 0
  std::string budgets; ///< name of the argument that replaces keep per query head; default: none

  ir::MaskOp mask;          ///< null: none
  ir::BlockSetOp forced;    ///< null: none; of a pattern its set
  ir::BlockSetOp forbidden; ///< null: none

  /// The mask's region, or null.
  mlir::Region *maskRegion() const { return mask ? &ir::MaskOp(mask).getBody() : nullptr; }
  /// What the kernel `block_rules` takes from outside.
  PairOperands pairOperands() const;
  /// Whether the kernel `block_rules` runs before selection.
  bool hasRules() const { return mask || forced || forbidden; }
  /// Whether scores are products.
  bool multiplies() const { return scores == ScoreKind::pooled || areShares(); }
  /// Whether scores are P.
  bool areShares() const { return scores == ScoreKind::sampled || scores == ScoreKind::compressed; }
  /// Whether the kernel `seen_pools` runs before them.
  bool seesSome() const { return scores == ScoreKind::compressed && compressed.where; }
  /// Whether a rule ranks over more than a row.
  bool ranksSpans() const { return scope == SelectScope::head || scope == SelectScope::allHeads; }
  /// Whether P, the softmax of a row of scores, decides. Sampled and compressed scores are P themselves.
  bool needsShares() const {
    return scope == SelectScope::group || (byShare && ranksSpans()) || keepRule == KeepRule::mass ||
           keepRule == KeepRule::within || keepRule == KeepRule::above || keepRule == KeepRule::relative;
  }
};

/// The name of the parameter behind an operand; empty where there is no operand, or no parameter behind it.
std::string parameterName(mlir::Value operand);

/// Nothing where the spec does not classify.
std::optional<Selection> readSelection(ir::SpecOp spec);

} // namespace tercet::compiler
