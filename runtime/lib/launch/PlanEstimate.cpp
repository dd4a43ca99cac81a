// Walks a plan as the executors do, evaluating expressions only, so that any target's plan can be estimated anywhere.
#include "tercet/rt/PlanEstimate.h"

#include "PlanWalk.h"

#include "tercet/PlanCheck.h"

#include <algorithm>

namespace tercet::rt {
namespace {

class Estimation {
public:
  Estimation(const Plan &plan, const Program &program, Frame &frame, const ExpectedBlocks &blocks)
      : plan(plan), program(program), frame(frame), blocks(blocks) {}

  Result<PlanEstimate> run() {
    for (size_t index = 0; index < plan.buffers.size(); ++index) {
      TERCET_TRY(int64_t bytes, program.bufferBytes[index].evaluate(frame.symbols));
      estimate.buffers.push_back({plan.buffers[index].name, plan.buffers[index].purpose, bytes});
    }
    estimate.pairs = frame.pairs;
    estimate.groupPairs = frame.groupPairs;
    estimate.slices = frame.slices;
    estimate.passSlices = frame.passSlices;
    estimate.rows = frame.rows;
    estimate.passRows = frame.passRows;
    TERCET_TRY(int64_t unitBytes, program.unitBytes.evaluate(frame.symbols));
    TERCET_TRY(estimate.stateBudgetBytes, program.budgetBytes.evaluate(frame.symbols));
    TERCET_TRY(int64_t rowBytes, program.rowBytes.evaluate(frame.symbols));
    estimate.statePassBytes = (unitBytes + rowBytes * frame.passRows) * frame.groupPairs * frame.passSlices;
    estimate.workspaceBytes = static_cast<int64_t>(frame.workspaceBytes);
    estimate.scratchBytes = static_cast<int64_t>(frame.workspaceBytes - frame.scratchOffset);
    listNodes(plan.nodes);
    expectBlocks(frame.groupPairs);
    TERCET_RETURN_IF_ERROR(runAll(program.nodes, /*entry=*/0, /*share=*/1));
    return std::move(estimate);
  }

private:
  /// Enters one NodeEstimate per kernel and builtin, depth first.
  void listNodes(const std::vector<PlanNode> &nodes) {
    for (const PlanNode &node : nodes) {
      if (isCounted(node.kind)) {
        estimate.nodes.push_back({node.stage, node.callee, node.kind == PlanNode::Kind::builtin, 0, 0, 0, 0});
        sources.push_back(&node);
      } else {
        listNodes(node.body);
      }
    }
  }

  /// The share of the expected blocks that falls to a group of this many pairs.
  void expectBlocks(int64_t pairs) {
    auto share = [&](int64_t all) {
      return static_cast<int64_t>(
          static_cast<double>(all) * static_cast<double>(pairs) / static_cast<double>(frame.pairs) + 0.5);
    };
    frame.set(program.known.critical, share(blocks.critical));
    frame.set(program.known.marginal, share(blocks.marginal));
    frame.set(program.known.negligible, share(blocks.negligible));
  }

  static bool isCounted(PlanNode::Kind kind) {
    return kind != PlanNode::Kind::groups && kind != PlanNode::Kind::slices && kind != PlanNode::Kind::rows;
  }

  size_t entriesOf(const ProgramNode &node) const {
    if (isCounted(node.kind))
      return 1;
    size_t count = 0;
    for (const ProgramNode &inner : node.body)
      count += entriesOf(inner);
    return count;
  }

  /// share: the part of every tensor that one run of these nodes covers.
  Status runAll(const std::vector<ProgramNode> &nodes, size_t entry, double share) {
    for (const ProgramNode &node : nodes) {
      if (node.kind == PlanNode::Kind::memset)
        TERCET_RETURN_IF_ERROR(countMemset(node, entry));
      else if (node.isCall())
        TERCET_RETURN_IF_ERROR(count(node, entry, share));
      else
        TERCET_RETURN_IF_ERROR(loop(node, entry, share));
      entry += entriesOf(node);
    }
    return {};
  }

  /// A loop's extent, the extent of one turn, and the symbols that are bound to the turn's extent and start.
  struct Loop {
    int64_t total, part;
    int size, first;
  };
  Loop loopOf(PlanNode::Kind kind) const {
    const SymbolIndices &known = program.known;
    if (kind == PlanNode::Kind::groups)
      return {frame.pairs, frame.groupPairs, known.group, known.groupFirst};
    if (kind == PlanNode::Kind::slices)
      return {frame.slices, frame.passSlices, known.slice, known.sliceFirst};
    return {frame.rows, frame.passRows, known.row, known.rowFirst};
  }

  Status loop(const ProgramNode &node, size_t entry, double share) {
    auto [total, part, size, first] = loopOf(node.kind);
    bool isGroups = node.kind == PlanNode::Kind::groups, divides = node.kind != PlanNode::Kind::slices;
    for (int64_t begin = 0; begin < total; begin += part) {
      int64_t now = std::min(part, total - begin);
      frame.set(size, now);
      frame.set(first, begin);
      if (isGroups)
        expectBlocks(now);
      double covered = divides ? share * static_cast<double>(now) / static_cast<double>(total) : share;
      TERCET_RETURN_IF_ERROR(runAll(node.body, entry, covered));
    }
    frame.set(size, part);
    frame.set(first, 0);
    return {};
  }

  Status countMemset(const ProgramNode &node, size_t entry) {
    TERCET_TRY(FillRange range, fillRange(node, frame));
    NodeEstimate &sum = estimate.nodes[entry];
    sum.runs += 1;
    sum.items += 1;
    sum.bytes += static_cast<double>(range.bytes);
    return {};
  }

  Status count(const ProgramNode &node, size_t entry, double share) {
    NodeEstimate &sum = estimate.nodes[entry];
    TERCET_TRY(NodeGrid grid, gridOf(program, node, frame));
    if (grid.count == 0)
      return {};
    TERCET_TRY(int64_t flops, node.flops.evaluate(frame.symbols));
    sum.runs += 1;
    sum.items += grid.count;
    sum.flops += static_cast<double>(flops);
    for (const PlanSlot &slot : sources[entry]->slots)
      sum.bytes += bytesOf(slot, share);
    return {};
  }

  /// In floating point: a tensor with strides of 0 may have more elements than there are integers.
  static double bytesOf(const Tensor &tensor) {
    double bytes = static_cast<double>(dtypeSize(tensor.dtype));
    for (int axis = 0; axis < tensor.rank; ++axis)
      bytes *= static_cast<double>(tensor.shape[static_cast<size_t>(axis)]);
    return bytes;
  }

  double bytesOf(const PlanSlot &slot, double share) const {
    bool isMap = slot.kind == PlanSlot::Kind::tensorMap;
    if (slot.kind == PlanSlot::Kind::tensor || (isMap && !slot.map.ofBuffer))
      for (size_t index = 0; index < plan.arguments.size(); ++index)
        if (const Tensor &tensor = frame.bound.tensors[index];
            plan.arguments[index].name == slot.name && tensor.rank > 0)
          return share * bytesOf(tensor);
    if (slot.kind == PlanSlot::Kind::buffer || (isMap && slot.map.ofBuffer))
      for (const BufferEstimate &buffer : estimate.buffers)
        if (buffer.name == slot.name)
          return static_cast<double>(buffer.bytes);
    return 0;
  }

  const Plan &plan;
  const Program &program;
  Frame &frame;
  ExpectedBlocks blocks;
  PlanEstimate estimate;
  std::vector<const PlanNode *> sources; ///< of estimate.nodes
};

} // namespace

Result<PlanEstimate> estimatePlan(const Artifact &artifact, const TargetModule &module, const Arguments &arguments,
                                  const ExpectedBlocks &blocks, int threads) {
  TERCET_RETURN_IF_ERROR(checkPlan(module.plan));
  KernelTable functions;
  for (const KernelInfo &kernel : module.kernels)
    functions[kernel.name] = {nullptr, kernel.scratchBytes};
  TERCET_TRY(Program program, Program::build(module.plan, functions));
  TERCET_TRY(Frame frame, Frame::build(artifact, module.plan, program, arguments, {BindMode::shapesOnly, threads}));
  return Estimation(module.plan, program, frame, blocks).run();
}

} // namespace tercet::rt
