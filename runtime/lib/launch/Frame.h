// Frame: everything one launch computes before its first item: symbol values, group sizes, workspace layout.
#pragma once

#include "ArgumentBinding.h"
#include "Program.h"

namespace tercet::rt {

struct Frame {
  BoundArguments bound;
  std::vector<int64_t> symbols;      ///< one per Program symbol
  int64_t pairs = 1;                 ///< P
  int64_t slices = 1;                ///< all value slices
  int64_t groupPairs = 1;            ///< G of a full group
  int64_t passSlices = 1;            ///< S of a full pass
  std::vector<size_t> bufferOffsets; ///< into the workspace, one per plan buffer
  size_t scratchOffset = 0;          ///< of worker 0
  size_t scratchStride = 0;          ///< from one worker's scratch to the next
  size_t workspaceBytes = 0;         ///< all of it

  /// Binds arguments and lays out the workspace for `threads` workers; errors as Kernel::launch.
  static Result<Frame> build(const Artifact &artifact, const Program &program, const Arguments &arguments,
                             BindMode mode, int threads);
};

/// A node's argument block. bases: workspace and tensors; in shapesOnly mode addresses are null.
Result<std::vector<int64_t>> fillSlots(const ProgramNode &node, const Frame &frame, char *workspace);

/// Bytes of scratch that one worker needs for a node with these slots.
Result<size_t> scratchBytesOf(const ProgramNode &node, const std::vector<int64_t> &slots);

inline constexpr size_t workspaceAlignment = 64;

} // namespace tercet::rt
