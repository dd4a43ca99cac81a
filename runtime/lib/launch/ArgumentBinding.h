// ArgumentBinding: a caller's arguments, checked against the plan and put into the plan's order.
#pragma once

#include "tercet/Artifact.h"
#include "tercet/Session.h"
#include "tercet/rt/ExprEval.h"

namespace tercet::rt {

/// The symbols B H HKV N M D DV of the plan, and the block counts of the classification (0 without).
struct ProblemSizes {
  int64_t batch = 0, heads = 0, headsKV = 0, queries = 0, keys = 0, headDim = 0, valueDim = 0;
  int64_t blocksQ = 0, blocksK = 0;
};

struct BoundArguments {
  std::vector<Tensor> tensors;    ///< one per plan argument; rank 0 when absent
  std::vector<double> parameters; ///< one per plan parameter
  ProblemSizes sizes;

  /// Null when the plan has no such argument or it is absent.
  const Tensor *find(const Plan &plan, PlanArgument::Role role, bool isOutput = false) const;
};

/// How much of the tensors may be relied on.
enum class BindMode {
  shapesOnly, ///< data pointers may be null and are not read; a listed tensor of rank > 0 counts as present
  forLaunch,  ///< null data means absent; lengths and classes are read and checked
  onDevice,   ///< null data means absent; data lies in another memory and is not read
};

/// Checks everything that the kernels rely on. symbols: those the plan uses; a plan that asks for a tensor's dtype or
/// last stride handles any. Strides of axes of extent 1 are made canonical (0; 1 for the last axis), so broadcast
/// classes have stride 0.
Result<BoundArguments> bindArguments(const Artifact &artifact, const Plan &plan, const SymbolNames &symbols,
                                     const Arguments &arguments, BindMode mode);

/// Shapes, dtypes and strides of bound.tensors; fills bound.sizes, for which it reads bound.parameters. Part of bindArguments.
Status checkShapes(const Artifact &artifact, const Plan &plan, const SymbolNames &symbols, BoundArguments &bound);
/// Values of lengths and classes. Part of bindArguments.
Status checkData(const Plan &plan, const BoundArguments &bound);
/// Values and defaults of the runtime parameters. Part of bindArguments.
Result<std::vector<double>> bindParameters(const Plan &plan, const Arguments &arguments);

} // namespace tercet::rt
