// Names first: every given tensor must be one of the plan's, every needed one must be given.
#include "ArgumentBinding.h"

#include "tercet/Spelling.h"

#include <fmt/ranges.h>

#include <algorithm>

namespace tercet::rt {
namespace {

template <typename Item> std::vector<std::string> namesOf(const std::vector<Item> &items) {
  std::vector<std::string> names;
  for (const Item &item : items)
    names.push_back(item.name);
  return names;
}

Status checkNames(const Plan &plan, const Arguments &arguments) {
  for (size_t index = 0; index < arguments.tensors.size(); ++index) {
    const std::string &name = arguments.tensors[index].first;
    if (!plan.find(name)) {
      std::vector<std::string> known = namesOf(plan.arguments);
      return Status::make(Code::invalidArgument, "there is no tensor '{}'; this kernel takes {}{}", name,
                          fmt::join(known, ", "), suggestion(name, known));
    }
    for (size_t earlier = 0; earlier < index; ++earlier)
      if (arguments.tensors[earlier].first == name)
        return Status::make(Code::invalidArgument, "tensor '{}' is given twice", name);
  }
  return {};
}

/// Strides of axes of extent 1 never matter; making them canonical keeps odd values of theirs out of address
/// arithmetic.
Tensor withCanonicalStrides(Tensor tensor) {
  for (int axis = 0; axis < tensor.rank; ++axis)
    if (tensor.shape[axis] == 1)
      tensor.strides[axis] = axis + 1 == tensor.rank ? 1 : 0;
  return tensor;
}

Status checkOne(const PlanArgument &argument, const Tensor *given, BindMode mode) {
  bool absent = !given || (mode == BindMode::shapesOnly ? given->rank == 0 : !given->data);
  if (absent && argument.optional)
    return {};
  if (absent)
    return Status::make(Code::invalidArgument, "tensor '{}' is missing; this kernel needs it", argument.name);
  if (given->rank < 1 || given->rank > 4)
    return Status::make(Code::invalidArgument, "'{}' has rank {}; legal ranks are 1 to 4", argument.name, given->rank);
  if (dtypeSize(given->dtype) == 0)
    return Status::make(Code::invalidArgument, "'{}' has an unknown dtype", argument.name);
  return {};
}

} // namespace

const Tensor *BoundArguments::find(const Plan &plan, PlanArgument::Role role, bool isOutput) const {
  for (size_t index = 0; index < plan.arguments.size(); ++index)
    if (plan.arguments[index].role == role && plan.arguments[index].isOutput == isOutput && tensors[index].rank > 0)
      return &tensors[index];
  return nullptr;
}

Result<BoundArguments> bindArguments(const Artifact &artifact, const Plan &plan, const SymbolNames &symbols,
                                     const Arguments &arguments, BindMode mode) {
  TERCET_RETURN_IF_ERROR(checkNames(plan, arguments));
  BoundArguments bound;
  bound.tensors.reserve(plan.arguments.size());
  for (const PlanArgument &argument : plan.arguments) {
    const Tensor *given = arguments.find(argument.name);
    TERCET_RETURN_IF_ERROR(checkOne(argument, given, mode));
    bool present = given && given->rank > 0 && (mode == BindMode::shapesOnly || given->data);
    bound.tensors.push_back(present ? withCanonicalStrides(*given) : Tensor());
  }
  TERCET_TRY(bound.parameters, bindParameters(plan, arguments));
  TERCET_RETURN_IF_ERROR(checkShapes(artifact, plan, symbols, bound));
  if (mode == BindMode::forLaunch)
    TERCET_RETURN_IF_ERROR(checkData(plan, bound));
  return bound;
}

} // namespace tercet::rt
