// Program: a plan made ready to run: names resolved to indices, expressions interned, callees resolved to functions.
#pragma once

#include "SymbolSources.h"

#include "tercet/Artifact.h"
#include "tercet/rt/Builtin.h"
#include "tercet/rt/CpuKernel.h"
#include "tercet/rt/ExprEval.h"

#include <memory>

namespace tercet::rt {

/// PlanTensorMap with its expressions interned.
struct ProgramTensorMap {
  bool ofBuffer = false;
  DType dtype = DType::bf16;
  CompiledExpr offset;
  std::vector<CompiledExpr> sizes, strides;
  std::vector<int64_t> box;
  PlanTensorMap::Swizzle swizzle = PlanTensorMap::Swizzle::none;
};

struct ProgramSlot {
  PlanSlot::Kind kind = PlanSlot::Kind::integer;
  int index = 0; ///< of the tensor, buffer or parameter
  CompiledExpr value;
  std::shared_ptr<const ProgramTensorMap> map; ///< of a tensor map
};

struct ProgramNode {
  PlanNode::Kind kind = PlanNode::Kind::kernel;
  std::string callee;               ///< as the plan names it
  CpuFunction function = nullptr;   ///< of a CPU kernel
  int kernel = -1;                  ///< of a kernel: its KernelFunction::index
  const Builtin *builtin = nullptr; ///< of a builtin
  std::vector<CpuFunction> kernels; ///< that a builtin calls
  int64_t kernelScratchBytes = 0;   ///< what the kernel, or the largest of `kernels`, asks for
  CompiledExpr grid[3];
  CompiledExpr flops;
  std::vector<ProgramSlot> slots;
  size_t stage = 0;          ///< index into Program::stages
  bool countsBlocks = false; ///< the one node after which a report counts the classes
  std::vector<ProgramNode> body;
  int buffer = -1;    ///< of a memset
  CompiledExpr bytes; ///< of a memset
  uint8_t byte = 0;   ///< of a memset

  bool isLoop() const {
    return kind == PlanNode::Kind::groups || kind == PlanNode::Kind::slices || kind == PlanNode::Kind::rows;
  }
  bool isCall() const { return kind == PlanNode::Kind::kernel || kind == PlanNode::Kind::builtin; }
};

/// Indices of the symbols that the executor binds; -1 where no expression uses one.
struct SymbolIndices {
  int group = -1, groupFirst = -1, slice = -1, sliceFirst = -1, row = -1, rowFirst = -1;
  int critical = -1, marginal = -1, negligible = -1;
};

struct Program {
  SymbolNames symbols;
  SymbolIndices known;
  std::vector<SymbolSource> sources; ///< of the symbols that arguments decide
  std::vector<CompiledExpr> bufferBytes;
  CompiledExpr unitBytes, rowBytes, budgetBytes, slices, rows, itemsPerPair;
  std::vector<std::string> stages; ///< in order of first appearance
  std::vector<ProgramNode> nodes;

  /// `plan` has passed checkPlan. invalidArgument when it names a builtin or kernel that is not there, or passes a
  /// builtin another number of slots or kernels than it takes.
  static Result<Program> build(const Plan &plan, const KernelTable &kernels);
};

} // namespace tercet::rt
