// Values that steer addresses or meaning: lengths and classes. Both are small beside q, k and v.
#include "ArgumentBinding.h"

namespace tercet::rt {
namespace {

using Role = PlanArgument::Role;

const PlanArgument &argumentOf(const Plan &plan, Role role) {
  for (const PlanArgument &argument : plan.arguments)
    if (argument.role == role && !argument.isOutput)
      return argument;
  TERCET_CHECK(false, "a bound tensor has an argument");
}

Status checkLengths(const Plan &plan, const BoundArguments &bound, Role role, int64_t tokens) {
  const Tensor *lengths = bound.find(plan, role);
  if (!lengths)
    return {};
  const auto *values = static_cast<const int32_t *>(lengths->data);
  for (int64_t b = 0; b < lengths->shape[0]; ++b)
    if (values[b] < 0 || values[b] > tokens)
      return Status::make(Code::invalidArgument,
                          "'{}' is {} for batch {}; it must be from 0 to {}, the number of tokens",
                          argumentOf(plan, role).name, values[b], b, tokens);
  return {};
}

/// Whether all of a row's bytes are -1, 0 or 1, without a branch per byte.
bool isLegalRow(const int8_t *row, int64_t count, int64_t stride) {
  int bad = 0;
  if (stride == 1)
    for (int64_t j = 0; j < count; ++j)
      bad |= static_cast<uint8_t>(row[j] + 1) > 2;
  else
    for (int64_t j = 0; j < count; ++j)
      bad |= static_cast<uint8_t>(row[j * stride] + 1) > 2;
  return !bad;
}

Status checkClasses(const Plan &plan, const BoundArguments &bound) {
  const Tensor *classes = bound.find(plan, Role::classes);
  if (!classes)
    return {};
  auto [sb, sh, si, sj] = classes->strides;
  for (int64_t b = 0; b < classes->shape[0]; ++b)
    for (int64_t h = 0; h < classes->shape[1]; ++h)
      for (int64_t i = 0; i < classes->shape[2]; ++i) {
        const int8_t *row = static_cast<const int8_t *>(classes->data) + b * sb + h * sh + i * si;
        if (isLegalRow(row, classes->shape[3], sj))
          continue;
        int64_t j = 0;
        while (row[j * sj] >= -1 && row[j * sj] <= 1)
          ++j;
        return Status::make(Code::invalidArgument, "'{}' is {} at [{}, {}, {}, {}]; legal classes are 1, 0 and -1",
                            argumentOf(plan, Role::classes).name, row[j * sj], b, h, i, j);
      }
  return {};
}

} // namespace

Status checkData(const Plan &plan, const BoundArguments &bound) {
  TERCET_RETURN_IF_ERROR(checkLengths(plan, bound, Role::queryLengths, bound.sizes.queries));
  TERCET_RETURN_IF_ERROR(checkLengths(plan, bound, Role::keyLengths, bound.sizes.keys));
  return checkClasses(plan, bound);
}

} // namespace tercet::rt
