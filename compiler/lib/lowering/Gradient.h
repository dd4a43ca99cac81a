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

#include "mlir/IR/Region.h"

#include <memory>

namespace tercet::compiler {

struct GradientPass {
  std::string name;           ///< of its kernel
  const AttendStage *forward; ///< the stage that it differentiates
  bool ofKeys = false;        ///< rows are keys and columns queries; else the reverse
  bool ofMeans = false;       ///< of keys that are means of marginal blocks, whose sums the pass of tokens goes on from
  std::shared_ptr<mlir::Region> slope; ///< the derivative of the stage's score region; null: 1

  bool listed() const { return forward->listed && !ofMeans; }
  /// Executed in a group: S and dP, and a product per gradient.
  Expr flops(const Expr &tokensQ, const Expr &tokensK, const Program &program, int64_t blockQ, int64_t blockK) const;
};

/// In the order in which they run. invalidSpec where the gradient of something is not derived: which, and what is. `spec` is
/// its name, for that.
Result<std::vector<GradientPass>> deriveGradient(const Program &program, llvm::StringRef spec);

} // namespace tercet::compiler
