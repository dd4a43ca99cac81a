// Frame: everything one launch computes before its first item: symbol values, group sizes, workspace layout.
#pragma once

#include "ArgumentBinding.h"
#include "Program.h"

namespace tercet::rt {

struct FrameOptions {
  BindMode mode = BindMode::forLaunch;
  int threads = 1;       ///< the symbol THREADS
  size_t alignment = 64; ///< of buffers, in bytes
};

struct Frame {
  BoundArguments bound;
  std::vector<int64_t> symbols;      ///< one per Program symbol
  int64_t pairs = 1;                 ///< P
  int64_t slices = 1;                ///< all value slices
  int64_t rows = 1;                  ///< all query blocks that have states
  int64_t groupPairs = 1;            ///< G of a full group
  int64_t passSlices = 1;            ///< S of a full pass
  int64_t passRows = 1;              ///< I of a full pass
  std::vector<size_t> bufferOffsets; ///< into the workspace, one per plan buffer
  std::vector<size_t> bufferSizes;   ///< in bytes
  size_t scratchOffset = 0;          ///< of worker 0
  size_t scratchStride = 0;          ///< from one worker's scratch to the next
  size_t workspaceBytes = 0;         ///< all of it

  /// Binds arguments and lays out the workspace; errors as Kernel::launch.
  static Result<Frame> build(const Artifact &artifact, const Plan &plan, const Program &program,
                             const Arguments &arguments, const FrameOptions &options);

  /// Binds a symbol of Program::known; those that no expression uses have the index -1.
  void set(int symbol, int64_t value) {
    if (symbol >= 0)
      symbols[static_cast<size_t>(symbol)] = value;
  }
};

/// A node's argument block. Addresses are null where `workspace` is, for measuring; a tensor map's slot holds the
/// address of its first element.
Result<std::vector<int64_t>> fillSlots(const ProgramNode &node, const Frame &frame, char *workspace);

/// Where a memset writes, as an offset into the workspace, and how much. invalidArgument when that exceeds its buffer.
struct FillRange {
  size_t offset = 0, bytes = 0;
};
Result<FillRange> fillRange(const ProgramNode &node, const Frame &frame);

/// Bytes of scratch that one worker needs for a node with these slots.
Result<size_t> scratchBytesOf(const ProgramNode &node, const std::vector<int64_t> &slots);

inline constexpr size_t workspaceAlignment = 64;

} // namespace tercet::rt
