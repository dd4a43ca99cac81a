// PlanEstimate: what a launch would do, without doing it: passes, workspace, items, operations and bytes per node. For
// `tercet explain` and `tercet bench`.
#pragma once

#include "tercet/Session.h"

namespace tercet::rt {

struct BufferEstimate {
  std::string name, purpose;
  int64_t bytes = 0;
};

/// One node over all passes of its loops.
struct NodeEstimate {
  std::string stage, callee;
  bool isBuiltin = false;
  int64_t runs = 0;  ///< how often it is started
  int64_t items = 0; ///< work items of all runs
  double flops = 0;
  /// Bytes that it cannot avoid to touch: its workspace buffers once per run, its tensors once per pass over them.
  double bytes = 0;
};

struct PlanEstimate {
  int64_t pairs = 1, groupPairs = 1; ///< (batch, KV head) pairs in all and of a full group
  int64_t slices = 1, passSlices = 1;
  int64_t rows = 1, passRows = 1; ///< query blocks with states
  /// What the plan sizes its passes by (h and H of the linear branch), and the most it lets that be (the bytes of K).
  int64_t statePassBytes = 0, stateBudgetBytes = 0;
  std::vector<BufferEstimate> buffers;
  int64_t scratchBytes = 0; ///< of all workers
  int64_t workspaceBytes = 0;
  std::vector<NodeEstimate> nodes; ///< in the plan's order
};

/// Blocks by class that the caller expects over the whole call; they are spread evenly over the groups.
struct ExpectedBlocks {
  int64_t critical = 0, marginal = 0, negligible = 0;
};

/// What a launch of `module`, one of the artifact's, would do. Data pointers of `arguments` are not read; a listed tensor of rank > 0 counts as present. Errors as
/// Kernel::workspaceBytes.
Result<PlanEstimate> estimatePlan(const Artifact &artifact, const TargetModule &module, const Arguments &arguments,
                                  const ExpectedBlocks &blocks, int threads);

} // namespace tercet::rt
