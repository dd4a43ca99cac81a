// Runtime parameters: known, finite, whole where they must be, in range, and fractions that add up.
#include "ArgumentBinding.h"

#include "tercet/Spelling.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace tercet::rt {
namespace {

constexpr double smallestBound = 1e-300; // a smaller positive minimum stands for "greater than 0"

Status checkValue(const PlanParameter &parameter, double value) {
  const std::string &name = parameter.name;
  if (!std::isfinite(value))
    return Status::make(Code::invalidArgument, "parameter '{}' is {}; it must be finite", name, value);
  if (parameter.isInteger && (std::trunc(value) != value || std::fabs(value) > 0x1p53))
    return Status::make(Code::invalidArgument, "parameter '{}' is {}; it must be a whole number", name, value);
  bool bounded = parameter.minimum != 0 || parameter.maximum != 0;
  if (!bounded || (value >= parameter.minimum && value <= parameter.maximum))
    return {};
  if (value < parameter.minimum && parameter.minimum > 0 && parameter.minimum < smallestBound)
    return Status::make(Code::invalidArgument, "parameter '{}' is {}; it must be greater than 0", name, value);
  return Status::make(Code::invalidArgument, "parameter '{}' is {}; it must be from {} to {}", name, value,
                      parameter.minimum, parameter.maximum);
}

/// The value of a parameter that is a fraction of the blocks, or 0.
double fractionOf(const Plan &plan, const std::vector<double> &values, const char *name) {
  for (size_t index = 0; index < plan.parameters.size(); ++index) {
    const PlanParameter &parameter = plan.parameters[index];
    if (parameter.name == name && !parameter.isInteger && parameter.maximum == 1)
      return values[index];
  }
  return 0;
}

/// The number of parameters if there is none of this name.
size_t indexOf(const Plan &plan, const std::string &name) {
  size_t index = 0;
  while (index < plan.parameters.size() && plan.parameters[index].name != name)
    ++index;
  return index;
}

Status unknownParameter(const Plan &plan, const std::string &name) {
  std::vector<std::string> names;
  for (const PlanParameter &parameter : plan.parameters)
    names.push_back(parameter.name);
  return Status::make(Code::invalidArgument, "there is no runtime parameter '{}'; this kernel has {}{}", name,
                      names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")), suggestion(name, names));
}

} // namespace

Result<std::vector<double>> bindParameters(const Plan &plan, const Arguments &arguments) {
  std::vector<double> values;
  values.reserve(plan.parameters.size());
  for (const PlanParameter &parameter : plan.parameters)
    values.push_back(parameter.value);
  for (size_t given = 0; given < arguments.parameters.size(); ++given) {
    const auto &[name, value] = arguments.parameters[given];
    size_t index = indexOf(plan, name);
    if (index == values.size())
      return unknownParameter(plan, name);
    for (size_t earlier = 0; earlier < given; ++earlier)
      if (arguments.parameters[earlier].first == name)
        return Status::make(Code::invalidArgument, "parameter '{}' is given twice", name);
    values[index] = value;
  }
  for (size_t index = 0; index < values.size(); ++index)
    TERCET_RETURN_IF_ERROR(checkValue(plan.parameters[index], values[index]));
  double keep = fractionOf(plan, values, "keep"), drop = fractionOf(plan, values, "drop");
  constexpr double rounding = 1e-12; // 0.9 + 0.1 written in decimal must pass
  if (keep + drop > 1 + rounding)
    return Status::make(Code::invalidArgument,
                        "keep is {} and drop is {}; as fractions they must not exceed 1 together", keep, drop);
  return values;
}

} // namespace tercet::rt
