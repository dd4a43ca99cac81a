#include "SavedTensors.h"

#include "tercet/SavedOutputs.h"

namespace tercet::cli {
namespace {

using Role = PlanArgument::Role;

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
    if (const PlanArgument *source = argument.isOutput ? nullptr : savedOutput(forward, argument))
      saved.push_back({argument.role, source->name, argument.name, source->dtype, shapeOf(argument.role, sizes)});
  return saved;
}

} // namespace tercet::cli
