#include "SavedTensors.h"

#include <algorithm>

namespace tercet::cli {
namespace {

using Role = PlanArgument::Role;

template <typename Matches> const PlanArgument *find(const PlanSignature &signature, Matches matches) {
  auto found = std::find_if(signature.arguments.begin(), signature.arguments.end(), matches);
  return found == signature.arguments.end() ? nullptr : &*found;
}

const PlanArgument *withRole(const PlanSignature &signature, Role role) {
  return find(signature, [&](const PlanArgument &each) { return each.role == role; });
}

/// The forward's output behind an input of the backward; null: the caller has it already.
const PlanArgument *sourceOf(const PlanSignature &forward, Role role) {
  switch (role) {
  case Role::savedOutput: {
    const PlanArgument *wide = withRole(forward, Role::wideOutput);
    return wide ? wide : withRole(forward, Role::output);
  }
  case Role::savedLse:
    return withRole(forward, Role::lse);
  case Role::savedLseRest:
    return withRole(forward, Role::lseRest);
  case Role::classes:
    return withRole(forward, Role::classesOutput);
  default:
    return nullptr;
  }
}

std::vector<int64_t> shapeOf(Role role, const reference::CallSizes &sizes) {
  std::vector<int64_t> shape = {sizes.batch, sizes.headsQ};
  if (role == Role::classes)
    return {sizes.batch, sizes.headsQ, sizes.blocksQ, sizes.blocksK};
  shape.push_back(sizes.tokensQ);
  if (role == Role::savedOutput)
    shape.push_back(sizes.valueDim);
  return shape;
}

} // namespace

int64_t SavedTensor::bytes() const {
  auto bytes = static_cast<int64_t>(dtypeSize(dtype));
  for (int64_t extent : shape)
    bytes *= extent;
  return bytes;
}

std::vector<SavedTensor> savedTensors(const PlanSignature &forward, const PlanSignature &backward,
                                      const reference::CallSizes &sizes) {
  std::vector<SavedTensor> saved;
  for (const PlanArgument &argument : backward.arguments)
    if (const PlanArgument *source = argument.isOutput ? nullptr : sourceOf(forward, argument.role))
      saved.push_back({argument.role, source->name, argument.name, source->dtype, shapeOf(argument.role, sizes)});
  return saved;
}

const PlanArgument *argumentOf(const PlanSignature &signature, std::string_view name) {
  return find(signature, [&](const PlanArgument &each) { return each.name == name; });
}

} // namespace tercet::cli
