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
    bindSymbols(frame);
    TERCET_RETURN_IF_ERROR(chooseGroups(frame));
    size_t offset = 0;
    for (size_t index = 0; index < program.bufferBytes.size(); ++index) {
      TERCET_TRY(int64_t bytes, program.bufferBytes[index].evaluate(frame.symbols));
      if (bytes < 0 || bytes > largestBuffer)
        return tooLarge("workspace buffer " + plan.buffers[index].name, bytes);
      frame.bufferOffsets.push_back(offset);
      frame.bufferSizes.push_back(static_cast<size_t>(bytes));
      offset = alignUp(offset + static_cast<size_t>(bytes), alignment);
    }
    size_t scratch = 0;
    TERCET_RETURN_IF_ERROR(measureScratch(program.nodes, frame, scratch));
    frame.scratchOffset = alignUp(offset, scratchAlignment);
    frame.scratchStride = alignUp(scratch, scratchAlignment);
    frame.workspaceBytes = frame.scratchOffset + frame.scratchStride * static_cast<size_t>(threads);
    return {};
  }

private:
  void set(Frame &frame, const std::string &name, int64_t value) {
    if (int index = program.symbols.find(name); index >= 0)
      frame.symbols[static_cast<size_t>(index)] = value;
  }

  void bindSymbols(Frame &frame) {
    const ProblemSizes &sizes = frame.bound.sizes;
    frame.symbols.assign(program.symbols.size(), 0);
    frame.pairs = sizes.batch * sizes.headsKV;
    const std::pair<const char *, int64_t> values[] = {
        {"B", sizes.batch}, {"H", sizes.heads},   {"HKV", sizes.headsKV}, {"N", sizes.queries},
        {"M", sizes.keys},  {"D", sizes.headDim}, {"DV", sizes.valueDim}, {"R", sizes.heads / sizes.headsKV},
        {"P", frame.pairs}, {"THREADS", threads},
    };
    for (auto [name, value] : values)
      set(frame, name, value);
    for (size_t index = 0; index < plan.arguments.size(); ++index)
      bindTensor(frame, plan.arguments[index].name, frame.bound.tensors[index]);
    for (size_t index = 0; index < plan.parameters.size(); ++index)
      if (plan.parameters[index].isInteger)
        set(frame, "param." + plan.parameters[index].name, static_cast<int64_t>(frame.bound.parameters[index]));
  }

  void bindTensor(Frame &frame, const std::string &name, const Tensor &tensor) {
    bool present = tensor.rank > 0;
    set(frame, name + ".present", present);
    set(frame, name + ".dtype", static_cast<int64_t>(tensor.dtype));
    set(frame, name + ".b", present ? tensor.shape[0] : 0);
    set(frame, name + ".h", tensor.rank > 1 ? tensor.shape[1] : 0);
    for (int axis = 0; axis < 4; ++axis)
      set(frame, name + "." + std::to_string(axis), axis < tensor.rank ? tensor.strides[axis] : 0);
    for (int axis = 0; axis < 4; ++axis)
      set(frame, name + ".size" + std::to_string(axis), axis < tensor.rank ? tensor.shape[axis] : 0);
  }

  Status chooseGroups(Frame &frame) {
    TERCET_TRY(int64_t unitBytes, program.unitBytes.evaluate(frame.symbols));
    TERCET_TRY(int64_t rowBytes, program.rowBytes.evaluate(frame.symbols));
    TERCET_TRY(int64_t budgetBytes, program.budgetBytes.evaluate(frame.symbols));
    TERCET_TRY(frame.slices, program.slices.evaluate(frame.symbols));
    TERCET_TRY(frame.rows, program.rows.evaluate(frame.symbols));
    TERCET_TRY(int64_t itemsPerPair, program.itemsPerPair.evaluate(frame.symbols));
    frame.slices = std::max<int64_t>(1, frame.slices);
    frame.rows = std::max<int64_t>(1, frame.rows);
    GroupingChoice choice = chooseGrouping(
        {unitBytes, rowBytes, budgetBytes, frame.slices, frame.rows, itemsPerPair, frame.pairs, threads});
    frame.groupPairs = choice.pairs;
    frame.passSlices = choice.slices;
    set(frame, "G", choice.pairs);
    set(frame, "S", choice.slices);
    frame.passRows = choice.rows;
    set(frame, "I", choice.rows);
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
      slots.push_back(reinterpret_cast<int64_t>(workspace ? workspace + frame.bufferOffsets[index] : nullptr));
      break;
    case PlanSlot::Kind::scalar:
      slots.push_back(std::bit_cast<int64_t>(frame.bound.parameters[index]));
      break;
    case PlanSlot::Kind::tensorMap: {
      void *base = slot.map->ofBuffer ? workspace + frame.bufferOffsets[index] : frame.bound.tensors[index].data;
      TERCET_TRY(int64_t offset, slot.map->offset.evaluate(frame.symbols));
      int64_t bytes = offset * static_cast<int64_t>(dtypeSize(slot.map->dtype));
      slots.push_back(base ? reinterpret_cast<int64_t>(base) + bytes : 0);
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
    if (grid.extents[axis] < 0 || __builtin_mul_overflow(grid.count, grid.extents[axis], &grid.count))
      return Status::make(Code::internal, "a grid of stage {} is negative or too large", program.stages[node.stage]);
  }
  return grid;
}

Result<FillRange> fillRange(const ProgramNode &node, const Frame &frame) {
  TERCET_TRY(int64_t bytes, node.bytes.evaluate(frame.symbols));
  size_t buffer = static_cast<size_t>(node.buffer);
  if (bytes < 0 || static_cast<size_t>(bytes) > frame.bufferSizes[buffer])
    return Status::make(Code::internal, "a memset of {} bytes in a buffer of {}", bytes, frame.bufferSizes[buffer]);
  return FillRange{frame.bufferOffsets[buffer], static_cast<size_t>(bytes)};
}

Result<size_t> scratchBytesOf(const ProgramNode &node, const std::vector<int64_t> &slots) {
  int64_t own = node.builtin && node.builtin->scratchBytes ? node.builtin->scratchBytes(slots.data()) : 0;
  if (own < 0 || own > largestBuffer || node.kernelScratchBytes > largestBuffer)
    return tooLarge("scratch", own);
  return alignUp(static_cast<size_t>(own), workspaceAlignment) + static_cast<size_t>(node.kernelScratchBytes);
}

} // namespace tercet::rt
