// AttendStage: what one attend kernel computes, for both targets. A spec with one softmax branch has one; each further
// branch that is not under the same loop is a stage of its own, run before the one that needs its output:
//
//   joint(a, b)            a, then b, whose softmax starts from the state of a
//   sum(gate a, gate b)    a, then b, which adds what a stored to its own output
//   by_head(a, b)          both, each for the heads that choose it
#pragma once

#include "PairDependence.h"
#include "PairOperands.h"

#include "tercet/Plan.h"

#include <optional>
#include <string>
#include <vector>

namespace tercet::compiler {

/// Keys and values that are pools of tokens (docs/spec.md#compressed).
struct PooledKeys {
  int64_t length = 0, stride = 0;
  int64_t queries = 1;                  ///< tokens of a query; 1: query tokens attend themselves
  std::string keyWeights, valueWeights; ///< names of tables; empty: means
};

/// The output of an earlier stage.
struct StageInput {
  size_t stage = 0;             ///< index into Program::attends
  int64_t rows = 1;             ///< query tokens that share a row of it
  mlir::Region *gate = nullptr; ///< by what it is multiplied; null: 1
};

struct AttendStage {
  std::string name;              ///< of its kernel
  bool exact = false;            ///< softmax attention over tokens or pools
  bool listed = false;           ///< only the critical blocks of the classification
  mlir::Region *score = nullptr; ///< null: scores stay as they are
  mlir::Region *mask = nullptr;  ///< null: every pair is allowed
  bool means = false;            ///< block means of marginal blocks under the same softmax
  bool ofMeans = false;          ///< nothing but these, by means of query blocks, which are then its pools
  std::string scale;             ///< a parameter's name; empty: the default scale
  std::optional<PooledKeys> pools;
  std::optional<StageInput> start; ///< the softmax goes on from here; absent: from nothing

  bool linear = false;           ///< adds the projected linear branch
  mlir::Region *gate = nullptr;  ///< of the exact branch, or without one of the linear branch; null: 1
  std::vector<StageInput> added; ///< outputs of earlier stages that it adds to its own

  bool storesOutput = false; ///< writes o; else its output is kept in f32 for a later stage
  bool storesWide = false;   ///< writes the output of the exact branch alone in f32, too, where the call asks for it
  bool startsExactly =
      false; ///< rows start from the maximum of their first scores: relative to 0 these would be rounded at
             ///< their own size, which products are anyway, but not what regions bound or a backward makes again
  bool storesRest =
      false; ///< writes what rounding left of the LSE that it writes or keeps, too; of lse where the call asks for it
  bool storesLse = false;  ///< writes lse of the call: its own, or without an exact branch that of added.front()
  bool keepsLse = false;   ///< keeps its LSE for a later stage
  bool keepsState = false; ///< keeps numerator, maximum and sum of its softmax, from which a later stage goes on
  int64_t chosen = -1;     ///< runs for heads whose choice is this number; -1: for all
  int64_t choices = 0; ///< gives heads that choose none of so many branches o = 0 and lse = -inf; 0: another stage does

  /// Query tokens per row.
  int64_t queryRows() const { return pools ? pools->queries : 1; }
  bool poolsQueries() const { return queryRows() > 1; }
  bool gathersRows() const { return listed && !score; } ///< where query blocks are small
  /// Whether its keys are all tokens, so that it takes these as they lie, a token order or not.
  bool takesAll() const { return exact && !listed && !pools; }
  /// Rows of a head, and keys of a pair, where there are so many tokens or places (OrderExprs.h): these or their pools.
  Expr rows(const Expr &tokens) const { return ceildiv(tokens, queryRows()); }
  Expr keys(const Expr &tokens) const { return ceildiv(tokens, pools ? pools->stride : 1); }
  /// Executed by the exact branch in a group, where there are so many tokens or places: all pairs, or the listed blocks (a
  /// tail block counts whole) and one mean per marginal block.
  Expr exactFlops(const Expr &tokensQ, const Expr &tokensK, int64_t blockQ, int64_t blockK, int64_t headDim,
                  int64_t valueDim) const;
  /// What its regions over pairs of query and key take from outside, gates included.
  PairOperands pairOperands() const {
    llvm::SmallVector<mlir::Region *> regions{mask, score, gate};
    for (const StageInput &input : added)
      regions.push_back(input.gate);
    return pairOperandsOf(regions);
  }
};

/// Whether block means are keys of some stage, beside others or alone.
bool anyMeans(llvm::ArrayRef<AttendStage> stages);

/// The tables of all masks, of a selection (or null) and of stages, whose blocks have bounds; without repetition.
llvm::SmallVector<RangedTable> rangedTablesOf(mlir::Region *ofSelection, llvm::ArrayRef<AttendStage> stages);

} // namespace tercet::compiler
