// Shapes, dtypes and strides: what was given, what is legal, and which other tensor says so.
#include "ArgumentBinding.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>

namespace tercet::rt {
namespace {

using Role = PlanArgument::Role;

template <typename... Args> Status wrong(fmt::format_string<Args...> format, Args &&...args) {
  return Status::make(Code::invalidArgument, "{}", fmt::format(format, std::forward<Args>(args)...));
}

struct RoleShape {
  Role role;
  std::vector<const char *> axes; ///< names for messages
};

const RoleShape &shapeOf(Role role) {
  static const std::vector<RoleShape> shapes = {
      {Role::query, {"batch", "heads", "tokens", "head dimension"}},
      {Role::key, {"batch", "heads", "tokens", "head dimension"}},
      {Role::value, {"batch", "heads", "tokens", "value dimension"}},
      {Role::weight, {"value dimension", "value dimension"}},
      {Role::bias, {"value dimension"}},
      {Role::classes, {"batch", "heads", "query blocks", "key blocks"}},
      {Role::classesOutput, {"batch", "heads", "query blocks", "key blocks"}},
      {Role::queryLengths, {"batch"}},
      {Role::keyLengths, {"batch"}},
      {Role::output, {"batch", "heads", "tokens", "value dimension"}},
      {Role::lse, {"batch", "heads", "tokens"}},
      {Role::wideOutput, {"batch", "heads", "tokens", "value dimension"}},
      {Role::outputGradient, {"batch", "heads", "tokens", "value dimension"}},
      {Role::savedOutput, {"batch", "heads", "tokens", "value dimension"}},
      {Role::lseRest, {"batch", "heads", "tokens"}},
      {Role::savedLse, {"batch", "heads", "tokens"}},
      {Role::savedLseRest, {"batch", "heads", "tokens"}},
      {Role::queryGradient, {"batch", "heads", "tokens", "head dimension"}},
      {Role::keyGradient, {"batch", "heads", "tokens", "head dimension"}},
      {Role::valueGradient, {"batch", "heads", "tokens", "value dimension"}},
      {Role::weightGradient, {"value dimension", "value dimension"}},
      {Role::biasGradient, {"value dimension"}},
  };
  for (const RoleShape &shape : shapes)
    if (shape.role == role)
      return shape;
  return shapes.front();
}

class ShapeChecker {
public:
  ShapeChecker(const Artifact &artifact, const Plan &plan, const SymbolNames &symbols, BoundArguments &bound)
      : artifact(artifact), plan(plan), symbols(symbols), bound(bound) {}

  Status run() {
    for (size_t index = 0; index < plan.arguments.size(); ++index)
      if (bound.tensors[index].rank > 0)
        TERCET_RETURN_IF_ERROR(alone(plan.arguments[index], bound.tensors[index]));
    TERCET_RETURN_IF_ERROR(takeSizes());
    for (size_t index = 0; index < plan.arguments.size(); ++index)
      if (bound.tensors[index].rank > 0)
        TERCET_RETURN_IF_ERROR(together(plan.arguments[index], bound.tensors[index]));
    return {};
  }

private:
  /// What a tensor must satisfy whatever the others are.
  Status alone(const PlanArgument &argument, const Tensor &tensor) {
    if (hasAxes(argument.role)) // rank, dtype and extents together, against the call's sizes
      return strides(argument, tensor);
    const std::vector<const char *> &axes = shapeOf(argument.role).axes;
    if (static_cast<size_t>(tensor.rank) != axes.size())
      return wrong("'{}' is {}; it must have {} dimensions: [{}]", argument.name, tensor.describe(), axes.size(),
                   fmt::join(axes, ", "));
    for (int axis = 0; axis < tensor.rank; ++axis)
      if (tensor.shape[axis] < 1)
        return wrong("'{}' is {}; its {} must be at least 1", argument.name, tensor.describe(), axes[axis]);
    TERCET_RETURN_IF_ERROR(dtype(argument, tensor));
    TERCET_RETURN_IF_ERROR(strides(argument, tensor));
    if (reinterpret_cast<uintptr_t>(tensor.data) % dtypeSize(tensor.dtype) != 0)
      return wrong("'{}' has the address {}; it must be a multiple of its element size, {}", argument.name, tensor.data,
                   dtypeSize(tensor.dtype));
    return {};
  }

  Status dtype(const PlanArgument &argument, const Tensor &tensor) {
    if (tensor.dtype == argument.dtype) // which is f32, f16 or bf16 where others are taken
      return {};
    bool isFloat = tensor.dtype == DType::f32 || tensor.dtype == DType::f16 || tensor.dtype == DType::bf16;
    if (!usesSymbol(argument.name + ".dtype"))
      return wrong("'{}' is {}; this kernel is compiled for {}", argument.name, tensor.describe(),
                   dtypeName(argument.dtype));
    if (!isFloat)
      return wrong("'{}' is {}; its dtype must be f32, f16 or bf16", argument.name, tensor.describe());
    return {};
  }

  Status strides(const PlanArgument &argument, const Tensor &tensor) {
    int last = tensor.rank - 1;
    bool anyLast = hasAxes(argument.role) || argument.role == Role::weight || argument.role == Role::bias ||
                   argument.role == Role::lse || argument.role == Role::lseRest || argument.role == Role::savedLse ||
                   argument.role == Role::savedLseRest ||
                   (argument.role == Role::classes && usesSymbol(argument.name + ".3"));
    if (!anyLast && tensor.strides[last] != 1)
      return wrong("'{}' has stride {} along its last dimension; it must be 1", argument.name, tensor.strides[last]);
    int64_t reach = 0; // in bytes, from the lowest to the highest element
    for (int axis = 0; axis < tensor.rank; ++axis) {
      int64_t span = 0, stride = tensor.strides[axis];
      bool overflow = stride == INT64_MIN || __builtin_mul_overflow(tensor.shape[axis] - 1, std::abs(stride), &span) ||
                      __builtin_mul_overflow(span, static_cast<int64_t>(dtypeSize(tensor.dtype)), &span) ||
                      __builtin_add_overflow(reach, span, &reach) || reach > largestReach;
      if (overflow)
        return wrong("'{}' is {} with strides [{}]; that spans more than 2^62 bytes", argument.name, tensor.describe(),
                     fmt::join(tensor.strides.begin(), tensor.strides.begin() + tensor.rank, ", "));
    }
    return argument.isOutput ? disjoint(argument, tensor) : Status();
  }

  /// Outputs are written from many threads: two elements at one address would race.
  Status disjoint(const PlanArgument &argument, const Tensor &tensor) {
    std::vector<int> axes;
    for (int axis = 0; axis < tensor.rank; ++axis)
      if (tensor.shape[axis] > 1)
        axes.push_back(axis);
    std::sort(axes.begin(), axes.end(),
              [&](int a, int b) { return std::abs(tensor.strides[a]) < std::abs(tensor.strides[b]); });
    int64_t inner = 0; // the highest offset within the axes so far
    for (int axis : axes) {
      if (std::abs(tensor.strides[axis]) <= inner)
        return wrong("'{}' is {} with strides [{}]; elements of an output must not share addresses", argument.name,
                     tensor.describe(), fmt::join(tensor.strides.begin(), tensor.strides.begin() + tensor.rank, ", "));
      inner += (tensor.shape[axis] - 1) * std::abs(tensor.strides[axis]);
    }
    return {};
  }

  Status takeSizes() {
    const Tensor *q = bound.find(plan, Role::query), *k = bound.find(plan, Role::key),
                 *v = bound.find(plan, Role::value);
    if (!q || !k || !v)
      return Status::make(Code::internal, "the plan lacks q, k or v");
    ProblemSizes &sizes = bound.sizes;
    sizes.batch = q->shape[0], sizes.heads = q->shape[1], sizes.queries = q->shape[2], sizes.headDim = q->shape[3];
    sizes.headsKV = k->shape[1], sizes.keys = k->shape[2], sizes.valueDim = v->shape[3];
    if (sizes.headDim != artifact.headDim || sizes.valueDim != artifact.valueDim)
      return wrong("'{}' is {} and '{}' is {}; this kernel is compiled for head dimension {} and value dimension {}",
                   nameOf(Role::query), q->describe(), nameOf(Role::value), v->describe(), artifact.headDim,
                   artifact.valueDim);
    if (sizes.heads % sizes.headsKV != 0)
      return wrong("'{}' has {} heads and '{}' {}; the former must be a multiple of the latter", nameOf(Role::query),
                   sizes.heads, nameOf(Role::key), sizes.headsKV);
    if (plan.blockQ > 0) {
      sizes.blocksQ = (sizes.queries - 1) / plan.blockQ + 1;
      sizes.blocksK = (sizes.keys - 1) / plan.blockK + 1;
    }
    return plan.order ? order() : Status();
  }

  bool isBackward() const {
    return std::any_of(plan.arguments.begin(), plan.arguments.end(),
                       [](const PlanArgument &argument) { return argument.role == Role::outputGradient; });
  }

  Status order() {
    TokenOrder order = plan.order->sized([&](const std::string &name) {
      size_t index = 0;
      while (plan.parameters[index].name != name)
        ++index;
      return bound.parameters[index];
    });
    ProblemSizes &sizes = bound.sizes;
    TERCET_RETURN_IF_ERROR(checkTokenOrder(order, sizes.queries, sizes.keys));
    sizes.blocksQ = order.blocks(sizes.queries);
    sizes.blocksK = order.blocks(sizes.keys);
    return {};
  }

  /// What the other tensors ask of this one.
  Status together(const PlanArgument &argument, const Tensor &tensor) {
    const ProblemSizes &sizes = bound.sizes;
    switch (argument.role) {
    case Role::query:
      return {};
    case Role::queryGradient:
      return expect(argument, tensor, {sizes.batch, sizes.heads, sizes.queries, sizes.headDim});
    case Role::key:
    case Role::keyGradient:
      return expect(argument, tensor, {sizes.batch, sizes.headsKV, sizes.keys, sizes.headDim});
    case Role::value:
    case Role::valueGradient:
      return expect(argument, tensor, {sizes.batch, sizes.headsKV, sizes.keys, sizes.valueDim});
    case Role::weight:
    case Role::weightGradient:
      return expect(argument, tensor, {sizes.valueDim, sizes.valueDim});
    case Role::bias:
    case Role::biasGradient:
      return expect(argument, tensor, {sizes.valueDim});
    case Role::queryLengths:
    case Role::keyLengths:
      if (plan.order && isBackward())
        return wrong("'{}' is given; the backward of a spec with a token order takes no lengths", argument.name);
      return expect(argument, tensor, {sizes.batch});
    case Role::output:
    case Role::wideOutput:
    case Role::outputGradient:
    case Role::savedOutput:
      return expect(argument, tensor, {sizes.batch, sizes.heads, sizes.queries, sizes.valueDim});
    case Role::lse:
    case Role::lseRest:
    case Role::savedLse:
    case Role::savedLseRest:
      return expect(argument, tensor, {sizes.batch, sizes.heads, sizes.queries});
    case Role::classes:
    case Role::classesOutput:
      return classes(argument, tensor);
    case Role::table:
    case Role::tableGradient:
      return table(argument, tensor);
    }
    return {};
  }

  Status table(const PlanArgument &argument, const Tensor &tensor) {
    const ProblemSizes &sizes = bound.sizes;
    return checkTable(argument.name, tensor, argument.axes, argument.dtype,
                      {sizes.batch, sizes.heads, sizes.headsKV, sizes.queries, sizes.keys, sizes.valueDim,
                       sizes.blocksQ, sizes.blocksK});
  }

  Status classes(const PlanArgument &argument, const Tensor &tensor) {
    const ProblemSizes &sizes = bound.sizes;
    if (plan.blockQ == 0)
      return wrong("'{}' is given, but this spec has no classification", argument.name);
    std::array<int64_t, 4> full = {sizes.batch, sizes.heads, sizes.blocksQ, sizes.blocksK};
    if (!argument.isOutput)
      for (int axis : {0, 1})
        if (tensor.shape[axis] == 1)
          full[axis] = 1; // broadcast
    if (std::equal(full.begin(), full.end(), tensor.shape.begin()))
      return {};
    return wrong("'{}' is {}; with blocks of {} x {} it must be [{}, {}, {}, {}]{}", argument.name, tensor.describe(),
                 plan.blockQ, plan.blockK, sizes.batch, sizes.heads, sizes.blocksQ, sizes.blocksK,
                 argument.isOutput ? "" : ", where batch and heads may be 1");
  }

  Status expect(const PlanArgument &argument, const Tensor &tensor, std::vector<int64_t> shape) {
    if (std::equal(shape.begin(), shape.end(), tensor.shape.begin()))
      return {};
    const Tensor *q = bound.find(plan, Role::query), *k = bound.find(plan, Role::key),
                 *v = bound.find(plan, Role::value);
    return wrong("'{}' is {}; with '{}' {}, '{}' {} and '{}' {} it must be [{}]", argument.name, tensor.describe(),
                 nameOf(Role::query), q->describe(), nameOf(Role::key), k->describe(), nameOf(Role::value),
                 v->describe(), fmt::join(shape, ", "));
  }

  bool usesSymbol(const std::string &name) const { return symbols.find(name) >= 0; }

  const std::string &nameOf(Role role) {
    return std::find_if(plan.arguments.begin(), plan.arguments.end(),
                        [&](const PlanArgument &a) { return a.role == role; })
        ->name;
  }

  static constexpr int64_t largestReach = int64_t{1} << 62;
  const Artifact &artifact;
  const Plan &plan;
  const SymbolNames &symbols;
  BoundArguments &bound;
};

} // namespace

Status checkShapes(const Artifact &artifact, const Plan &plan, const SymbolNames &symbols, BoundArguments &bound) {
  return ShapeChecker(artifact, plan, symbols, bound).run();
}

} // namespace tercet::rt
