// Workspace layout: the plan's buffers one after the other, then one scratch area per worker. Scratch lies in the
// workspace, not with the pool: launches that share a pool, or an embedder's threads, then never share scratch, and a
// launch allocates none.
#include "Frame.h"

#include "PlanWalk.h"

#include "tercet/rt/Grouping.h"

#include <algorithm>
#include <bit>

namespace tercet::rt {
namespace {

constexpr size_t scratchAlignment = 128; // two cache lines: neighbours do not disturb each other's prefetching
constexpr int64_t largestBuffer = int64_t{1} << 46;
constexpr int64_t largestOffset = INT64_MAX / 8; // in elements of any dtype
// What a launch can do within hours. Plans are data: without bounds a file could ask for endless ones.
constexpr int64_t mostItems = int64_t{1} << 38; // of a grid
constexpr int64_t mostRuns = int64_t{1} << 24;  // of nodes, and passes of loops

size_t alignUp(size_t value, size_t alignment) { return (value + alignment - 1) / alignment * alignment; }

Status tooLarge(const std::string &what, int64_t bytes) {
  return Status::make(Code::invalidArgument,
                      "the tensors are too large: {} would take {} bytes; at most {} are possible", what, bytes,
                      largestBuffer);
}

class FrameBuilder {
public:
  FrameBuilder(const Plan &plan, const Program &program, const FrameOptions &options)
      : plan(plan), program(program), threads(options.threads), alignment(options.alignment) {}

  Status run(Frame &frame) {
    frame.symbols.assign(program.symbols.size(), 0);
    frame.pairs = frame.bound.sizes.batch * frame.bound.sizes.headsKV;
    bindSymbols(program.sources, frame.bound, threads, frame.symbols);
    TERCET_RETURN_IF_ERROR(chooseGroups(frame));
    size_t offset = 0;
    frame.bufferOffsets.reserve(program.bufferBytes.size());
    frame.bufferSizes.reserve(program.bufferBytes.size());
    for (size_t index = 0; index < program.bufferBytes.size(); ++index) {
      TERCET_TRY(int64_t bytes, program.bufferBytes[index].evaluate(frame.symbols));
      if (bytes < 0 || bytes > largestBuffer)
        return tooLarge("workspace buffer " + plan.buffers[index].name, bytes);
      frame.bufferOffsets.push_back(offset);
      frame.bufferSizes.push_back(static_cast<size_t>(bytes));
      offset = alignUp(offset + static_cast<size_t>(bytes), alignment);
    }
    int64_t runs = 0;
    TERCET_RETURN_IF_ERROR(countRuns(program.nodes, frame, 1, runs));
    size_t scratch = 0;
    TERCET_RETURN_IF_ERROR(measureScratch(program.nodes, frame, scratch));
    frame.scratchOffset = alignUp(offset, scratchAlignment);
    frame.scratchStride = alignUp(scratch, scratchAlignment);
    frame.workspaceBytes = frame.scratchOffset + frame.scratchStride * static_cast<size_t>(threads);
    return {};
  }

private:
  Status chooseGroups(Frame &frame) {
    auto amount = [&](const CompiledExpr &expr) { return expr.evaluateWithin(frame.symbols, 0, largestBuffer); };
    TERCET_TRY(int64_t unitBytes, amount(program.unitBytes));
    TERCET_TRY(int64_t rowBytes, amount(program.rowBytes));
    TERCET_TRY(int64_t budgetBytes, amount(program.budgetBytes));
    TERCET_TRY(frame.slices, amount(program.slices));
    TERCET_TRY(frame.rows, amount(program.rows));
    TERCET_TRY(int64_t itemsPerPair, amount(program.itemsPerPair));
    frame.slices = std::max<int64_t>(1, frame.slices);
    frame.rows = std::max<int64_t>(1, frame.rows);
    if (rowBytes > largestBuffer / frame.rows)
      return Status::make(Code::invalidArgument,
                          "the tensors are too large: the states of a pair would take more than {} bytes",
                          largestBuffer);
    GroupingChoice choice = chooseGrouping(
        {unitBytes, rowBytes, budgetBytes, frame.slices, frame.rows, itemsPerPair, frame.pairs, threads});
    frame.groupPairs = choice.pairs;
    frame.passSlices = choice.slices;
    frame.passRows = choice.rows;
    frame.set(program.known.group, choice.pairs);
    frame.set(program.known.slice, choice.slices);
    frame.set(program.known.row, choice.rows);
    return {};
  }

  /// Refuses more than mostRuns runs and passes; `around`: how often loops repeat these nodes.
  Status countRuns(const std::vector<ProgramNode> &nodes, const Frame &frame, int64_t around, int64_t &runs) {
    auto parts = [](int64_t total, int64_t part) { return (total - 1) / part + 1; };
    for (const ProgramNode &node : nodes) {
      int64_t passes = node.kind == PlanNode::Kind::groups   ? parts(frame.pairs, frame.groupPairs)
                       : node.kind == PlanNode::Kind::slices ? parts(frame.slices, frame.passSlices)
                       : node.kind == PlanNode::Kind::rows   ? parts(frame.rows, frame.passRows)
                                                             : 1;
      if (passes > (mostRuns - runs) / around)
        return Status::make(Code::invalidArgument,
                            "the tensors are too large: a launch would run more than {} nodes and passes of loops",
                            mostRuns);
      runs += around * passes;
      TERCET_RETURN_IF_ERROR(countRuns(node.body, frame, around * passes, runs));
    }
    return {};
  }

  Status measureScratch(const std::vector<ProgramNode> &nodes, const Frame &frame, size_t &most) {
    for (const ProgramNode &node : nodes) {
      if (node.isCall()) {
        TERCET_TRY(std::vector<int64_t> slots, fillSlots(node, frame, nullptr));
        TERCET_TRY(size_t bytes, scratchBytesOf(node, slots));
        most = std::max(most, bytes);
      }
      TERCET_RETURN_IF_ERROR(measureScratch(node.body, frame, most));
    }
    return {};
  }

  const Plan &plan;
  const Program &program;
  int threads;
  size_t alignment;
};

} // namespace

Result<Frame> Frame::build(const Artifact &artifact, const Plan &plan, const Program &program,
                           const Arguments &arguments, const FrameOptions &options) {
  Frame frame;
  TERCET_TRY(frame.bound, bindArguments(artifact, plan, program.symbols, arguments, options.mode));
  TERCET_RETURN_IF_ERROR(FrameBuilder(plan, program, options).run(frame));
  return frame;
}

/// Null without a workspace.
static char *bufferAt(const Frame &frame, size_t index, char *workspace) {
  return workspace ? workspace + frame.bufferOffsets[index] : nullptr;
}

Result<std::vector<int64_t>> fillSlots(const ProgramNode &node, const Frame &frame, char *workspace) {
  std::vector<int64_t> slots;
  slots.reserve(node.slots.size());
  for (const ProgramSlot &slot : node.slots) {
    size_t index = static_cast<size_t>(slot.index);
    switch (slot.kind) {
    case PlanSlot::Kind::tensor:
      slots.push_back(reinterpret_cast<int64_t>(frame.bound.tensors[index].data));
      break;
    case PlanSlot::Kind::buffer:
      slots.push_back(reinterpret_cast<int64_t>(bufferAt(frame, index, workspace)));
      break;
    case PlanSlot::Kind::scalar:
      slots.push_back(std::bit_cast<int64_t>(frame.bound.parameters[index]));
      break;
    case PlanSlot::Kind::tensorMap: {
      const void *base = slot.map->ofBuffer ? bufferAt(frame, index, workspace) : frame.bound.tensors[index].data;
      TERCET_TRY(int64_t offset, slot.map->offset.evaluateWithin(frame.symbols, -largestOffset, largestOffset));
      uint64_t bytes = static_cast<uint64_t>(offset) * dtypeSize(slot.map->dtype); // modulo 2^64, as addresses are
      slots.push_back(base ? static_cast<int64_t>(reinterpret_cast<uint64_t>(base) + bytes) : 0);
      break;
    }
    case PlanSlot::Kind::integer: {
      TERCET_TRY(int64_t value, slot.value.evaluate(frame.symbols));
      slots.push_back(value);
      break;
    }
    }
  }
  return slots;
}

Result<NodeGrid> gridOf(const Program &program, const ProgramNode &node, const Frame &frame) {
  NodeGrid grid;
  for (int axis = 0; axis < 3; ++axis) {
    TERCET_TRY(grid.extents[axis], node.grid[axis].evaluate(frame.symbols));
    if (grid.extents[axis] < 0 || __builtin_mul_overflow(grid.count, grid.extents[axis], &grid.count) ||
        grid.count > mostItems)
      return Status::make(Code::invalidArgument,
                          "the tensors are too large: a grid of stage {} has an extent of {}; legal are grids of at "
                          "most {} items",
                          program.stages[node.stage], grid.extents[axis], mostItems);
  }
  return grid;
}

Result<FillRange> fillRange(const ProgramNode &node, const Frame &frame) {
  TERCET_TRY(int64_t bytes, node.bytes.evaluate(frame.symbols));
  size_t buffer = static_cast<size_t>(node.buffer);
  if (bytes < 0 || static_cast<size_t>(bytes) > frame.bufferSizes[buffer])
    return Status::make(Code::invalidArgument, "the plan fills {} bytes of a buffer of {}", bytes,
                        frame.bufferSizes[buffer]);
  return FillRange{frame.bufferOffsets[buffer], static_cast<size_t>(bytes)};
}

Result<size_t> scratchBytesOf(const ProgramNode &node, const std::vector<int64_t> &slots) {
  int64_t own = node.builtin && node.builtin->scratchBytes ? node.builtin->scratchBytes(slots.data()) : 0;
  if (own < 0 || own > largestBuffer || node.kernelScratchBytes > largestBuffer)
    return tooLarge("scratch", own);
  return alignUp(static_cast<size_t>(own), workspaceAlignment) + static_cast<size_t>(node.kernelScratchBytes);
}

} // namespace tercet::rt
