#include "Program.h"

#include "tercet/PlanCheck.h"

#include <algorithm>

namespace tercet::rt {
namespace {

template <typename Item> int indexOf(const std::vector<Item> &items, const std::string &name) {
  auto found = std::find_if(items.begin(), items.end(), [&](const Item &item) { return item.name == name; });
  return static_cast<int>(found - items.begin());
}

class Builder {
public:
  Builder(const Plan &plan, const KernelTable &kernels) : plan(plan), kernels(kernels) {}

  Result<Program> run() {
    for (const PlanBuffer &buffer : plan.buffers)
      program.bufferBytes.push_back(compile(buffer.bytes));
    program.unitBytes = compile(plan.grouping.unitBytes);
    program.rowBytes = compile(plan.grouping.rowBytes);
    program.budgetBytes = compile(plan.grouping.budgetBytes);
    program.slices = compile(plan.grouping.slices);
    program.rows = compile(plan.grouping.rows);
    program.itemsPerPair = compile(plan.grouping.itemsPerPair);
    for (const PlanNode &node : plan.nodes) {
      TERCET_TRY(ProgramNode built, this->node(node));
      program.nodes.push_back(std::move(built));
    }
    chooseCounter();
    const SymbolNames &symbols = program.symbols;
    program.known = {symbols.find("G"),
                     symbols.find("G0"),
                     symbols.find("S"),
                     symbols.find("S0"),
                     symbols.find("I"),
                     symbols.find("I0"),
                     symbols.find("blocks.critical"),
                     symbols.find("blocks.marginal"),
                     symbols.find("blocks.negligible")};
    program.sources = symbolSources(plan, symbols);
    return std::move(program);
  }

private:
  CompiledExpr compile(const Expr &expr) { return CompiledExpr(expr, program.symbols); }

  size_t stageIndex(const std::string &stage) {
    auto found = std::find(program.stages.begin(), program.stages.end(), stage);
    if (found == program.stages.end())
      found = program.stages.insert(found, stage);
    return static_cast<size_t>(found - program.stages.begin());
  }

  Result<KernelFunction> kernel(const std::string &name) {
    auto found = kernels.find(name);
    if (found == kernels.end())
      return Status::make(Code::invalidArgument, "the plan calls the kernel '{}', which its module does not have",
                          name);
    return found->second;
  }

  Result<ProgramNode> node(const PlanNode &node) {
    ProgramNode built;
    built.kind = node.kind;
    for (const PlanNode &inner : node.body) {
      TERCET_TRY(ProgramNode innerBuilt, this->node(inner));
      built.body.push_back(std::move(innerBuilt));
    }
    if (built.isLoop())
      return built;
    built.callee = node.callee;
    built.stage = stageIndex(node.stage);
    if (node.kind == PlanNode::Kind::memset) {
      built.buffer = indexOf(plan.buffers, node.callee);
      built.bytes = compile(node.bytes);
      built.byte = node.byte;
      return built;
    }
    TERCET_RETURN_IF_ERROR(resolveCallee(node, built));
    built.flops = compile(node.flops);
    for (int axis = 0; axis < 3; ++axis)
      built.grid[axis] = compile(node.grid[axis]);
    for (const PlanSlot &slot : node.slots)
      built.slots.push_back(this->slot(slot));
    return built;
  }

  Status resolveCallee(const PlanNode &node, ProgramNode &built) {
    if (node.kind == PlanNode::Kind::kernel) {
      TERCET_TRY(KernelFunction found, kernel(node.callee));
      built.function = found.function;
      built.kernel = found.index;
      built.kernelScratchBytes = found.scratchBytes;
      return {};
    }
    built.builtin = findBuiltin(node.callee);
    if (!built.builtin)
      return Status::make(Code::invalidArgument, "the plan calls the builtin '{}', which this runtime does not have",
                          node.callee);
    if (node.slots.size() != built.builtin->slotCount || node.kernels.size() != built.builtin->kernelCount)
      return Status::make(Code::invalidArgument,
                          "the plan passes {} slots and {} kernels to '{}', which takes {} and {}", node.slots.size(),
                          node.kernels.size(), node.callee, built.builtin->slotCount, built.builtin->kernelCount);
    for (const std::string &name : node.kernels) {
      TERCET_TRY(KernelFunction found, kernel(name));
      built.kernels.push_back(found.function);
      built.kernelScratchBytes = std::max(built.kernelScratchBytes, found.scratchBytes);
    }
    return {};
  }

  ProgramSlot slot(const PlanSlot &slot) {
    switch (slot.kind) {
    case PlanSlot::Kind::tensor:
      return {slot.kind, indexOf(plan.arguments, slot.name), {}};
    case PlanSlot::Kind::buffer:
      return {slot.kind, indexOf(plan.buffers, slot.name), {}};
    case PlanSlot::Kind::scalar:
      return {slot.kind, indexOf(plan.parameters, slot.name), {}};
    case PlanSlot::Kind::tensorMap:
      return {slot.kind,
              slot.map.ofBuffer ? indexOf(plan.buffers, slot.name) : indexOf(plan.arguments, slot.name),
              {},
              tensorMap(slot.map)};
    case PlanSlot::Kind::integer:
      break;
    }
    return {slot.kind, 0, compile(slot.value)};
  }

  std::shared_ptr<const ProgramTensorMap> tensorMap(const PlanTensorMap &map) {
    auto built = std::make_shared<ProgramTensorMap>();
    built->ofBuffer = map.ofBuffer;
    built->dtype = map.dtype;
    built->offset = compile(map.offset);
    for (const Expr &size : map.sizes)
      built->sizes.push_back(compile(size));
    for (const Expr &stride : map.strides)
      built->strides.push_back(compile(stride));
    built->box = map.box;
    built->swizzle = map.swizzle;
    return built;
  }

  /// A node that sees the resolved class map; select may have no items where classes are handed in.
  void chooseCounter() {
    for (std::string_view name : {"build_lists", "linear_sets", "select", "copy_classes"})
      if (ProgramNode *found = findBuiltinNode(program.nodes, name)) {
        found->countsBlocks = true;
        return;
      }
  }

  ProgramNode *findBuiltinNode(std::vector<ProgramNode> &nodes, std::string_view name) {
    for (ProgramNode &node : nodes) {
      if (node.builtin && node.builtin->name == name && node.builtin->classMap)
        return &node;
      if (ProgramNode *inner = findBuiltinNode(node.body, name))
        return inner;
    }
    return nullptr;
  }

  const Plan &plan;
  const KernelTable &kernels;
  Program program;
};

} // namespace

Result<Program> Program::build(const Plan &plan, const KernelTable &kernels) { return Builder(plan, kernels).run(); }

} // namespace tercet::rt
