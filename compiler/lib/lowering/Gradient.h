// Gradient: what the backward of a program computes, derived from its stages (docs/gradients.md). A softmax stage has two
// passes over its pairs, which make P and dS again from what the forward saved:
//
//   queries   dQ_i = scale sum_j dS_ij K_j                             along the lists of the rows
//   keys      dK_j = scale sum_i dS_ij^T Q_i, dV_j = sum_i P_ij^T dO_i   along these lists transposed
//
// Where block means are keys of the same softmax, each has a pass over these before it.
//
// An item of a pass owns its rows: no sum is shared, so the result does not depend on who runs first.
#pragma once

#include "Program.h"
#include "TableShares.h"

#include "mlir/IR/Region.h"

#include <memory>

namespace tercet::compiler {

struct GradientPass {
  std::string name;           ///< of its kernel
  const AttendStage *forward; ///< the stage that it differentiates
  bool ofKeys = false;        ///< rows are keys and columns queries; else the reverse
  bool ofMeans = false;       ///< of keys that are means of marginal blocks, whose sums the pass of tokens goes on from
  std::shared_ptr<mlir::Region> slope; ///< the derivative of the stage's score region; null: 1
  /// Of one branch beside others: its O and LSE are made again, dO of it is multiplied by its gate (null: 1), and what the pass makes
  /// goes into sums in f32, over pools for all their tokens.
  bool isBranch = false;
  const AttendStage *rows = nullptr; ///< the stage that has O and LSE: this one, or the last one under the same softmax
  const AttendStage *means =
      nullptr; ///< block means from which the stage's softmax goes on: with theirs, P of a row add up to 1
  mlir::Region *gate = nullptr;
  bool adds = false;   ///< to what branches before it have put into the sums
  bool stores = false; ///< these sums alone, as the gradients
  // Filled by deriveTableGradients.
  std::vector<TableShares> tables; ///< shares that it makes of tables that the stage's score region reads
  std::vector<TableShares> ofGate; ///< and that the kernel of its gate makes
  bool ofTable = false;            ///< makes nothing but the one share
  bool centres = false;   ///< one that makes sums of dO O again instead, from P as it is, for those of its tables
  bool isCentred = false; ///< one that takes them

  /// Whether its rows and columns are means of blocks, for which there are kernels of their own.
  bool ofMeanRows() const { return forward->ofMeans && !stores; }
  bool listed() const { return forward->listed && !ofMeans; }
  /// Whether its keys are all of a row's, so that their P add up to 1.
  bool isWhole() const { return !isBranch || (rows == forward && !forward->start); }
  /// Whether they do together with those of other passes over these queries, which run one after the other and hand on their sums.
  bool sharesSoftmax() const { return isSummed() && !isWhole() && !ofKeys && !ofTable; }
  /// Whether it makes a share of the sums, rather than gradients.
  bool isSummed() const { return isBranch && !stores; }
  /// Whether keys, or queries, are pools of tokens.
  bool isPooled(bool keys) const { return !stores && (keys ? forward->pools.has_value() : forward->poolsQueries()); }
  bool hasPooledRows() const { return isPooled(ofKeys); }
  /// What the buffers of its queries' rows are called before their own names.
  std::string prefixOfRows() const { return rows ? rows->name + "_" : ""; }
  /// Whether dO is the branch's own, in a buffer, rather than that of the call.
  bool hasOwnGradient() const { return isSummed() && (gate || rows->poolsQueries()); }
  /// What is made for pools goes to the sums of their tokens afterwards.
  bool addsToSums() const { return adds && !hasPooledRows(); }
  /// Executed in a group: pairs of its rows and columns; of these S and dP, and a product per gradient.
  Expr pairs(const Expr &tokensQ, const Expr &tokensK, int64_t blockQ, int64_t blockK) const;
  Expr flops(const Expr &tokensQ, const Expr &tokensK, const Program &program, int64_t blockQ, int64_t blockK) const;
};

/// The stages of a program whose branches have passes of their own, each with O and LSE in buffers and nothing else.
std::vector<AttendStage> branchesOf(const Program &program);

/// In the order in which they run. invalidSpec where the gradient of something is not derived: which, and what is. `spec` is
/// its name, for that.
Result<std::vector<GradientPass>> deriveGradient(const Program &program, llvm::StringRef spec);

} // namespace tercet::compiler
