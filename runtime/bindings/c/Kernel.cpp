// What a kernel says of itself.
#include "ArgumentAxes.h"
#include "Handles.h"
#include "Options.h"

#include "tercet/PlanCheck.h"
#include "tercet/SavedOutputs.h"
#include "tercet/Spelling.h"

#include <nlohmann/json.hpp>

using namespace tercet;
using namespace tercet::c;

namespace tercet::c {

tercet_kernel *kernelHandle(std::shared_ptr<Kernel> kernel, std::string target) {
  auto handle = std::make_unique<tercet_kernel>();
  handle->kernel = std::move(kernel);
  handle->target = std::move(target);
  for (const PlanArgument &argument : handle->signature().arguments) {
    std::vector<std::string> &axes = handle->axes.emplace_back();
    for (int64_t axis : argumentAxes(argument, handle->kernel->artifact().headDim))
      axes.push_back(tableAxisText(axis));
  }
  return handle.release();
}

} // namespace tercet::c

namespace {

double defaultOf(const tercet_kernel &kernel, const PlanParameter &parameter) {
  for (const auto &[name, value] : kernel.values)
    if (name == parameter.name)
      return value;
  return parameter.value;
}

using Json = nlohmann::ordered_json;

Json argumentsJson(const tercet_kernel &kernel) {
  Json array = Json::array();
  for (size_t index = 0; index < kernel.signature().arguments.size(); ++index) {
    const PlanArgument &argument = kernel.signature().arguments[index];
    array.push_back({{"name", argument.name},
                     {"role", roleName(argument.role)},
                     {"is_output", argument.isOutput},
                     {"is_optional", argument.optional},
                     {"dtype", dtypeName(argument.dtype)},
                     {"axes", kernel.axes[index]}});
  }
  return array;
}

Json parametersJson(const tercet_kernel &kernel) {
  Json array = Json::array();
  for (const PlanParameter &parameter : kernel.signature().parameters) {
    Json object = {
        {"name", parameter.name}, {"value", defaultOf(kernel, parameter)}, {"is_integer", parameter.isInteger}};
    if (parameter.minimum != 0 || parameter.maximum != 0) {
      object["minimum"] = parameter.minimum;
      object["maximum"] = parameter.maximum;
    }
    array.push_back(std::move(object));
  }
  return array;
}

Status outOfRange(const char *function, size_t index, size_t count, const char *what) {
  return Status::make(Code::invalidArgument, "{}: index is {}; this kernel has {} {}", function, index, count, what);
}

} // namespace

void tercet_kernel_destroy(tercet_kernel *kernel) { delete kernel; }

tercet_status tercet_kernel_describe(const tercet_kernel *kernel, char **json) {
  return guarded([&]() -> Status {
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_kernel_describe", "json", json));
    *json = nullptr;
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_kernel_describe", "kernel", kernel));
    const Artifact &artifact = kernel->kernel->artifact();
    Json object = {
        {"spec", artifact.specName},    {"target", kernel->target},       {"module", kernel->kernel->module().target},
        {"head_dim", artifact.headDim}, {"value_dim", artifact.valueDim}, {"dtype", dtypeName(artifact.dtype)}};
    if (kernel->isCompiled) {
      object["compile_ms"] = kernel->report.compileMs;
      object["cache"] = kernel->report.cache;
    }
    object["arguments"] = argumentsJson(*kernel);
    object["parameters"] = parametersJson(*kernel);
    object["block_q"] = kernel->signature().blockQ;
    object["block_k"] = kernel->signature().blockK;
    Json schedule = Json::object();
    for (const KernelInfo &each : kernel->kernel->module().kernels)
      schedule[each.name] = each.schedule;
    object["schedule"] = std::move(schedule);
    if (kernel->isCompiled)
      object["schedule_source"] = kernel->report.schedules.kind;
    *json = textFor(object.dump());
    return {};
  });
}

size_t tercet_kernel_argument_count(const tercet_kernel *kernel) {
  return kernel ? kernel->signature().arguments.size() : 0;
}

tercet_status tercet_kernel_argument(const tercet_kernel *kernel, size_t index, tercet_argument *argument) {
  return guarded([&]() -> Status {
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_kernel_argument", "kernel", kernel));
    const std::vector<PlanArgument> &all = kernel->signature().arguments;
    if (index >= all.size())
      return outOfRange("tercet_kernel_argument", index, all.size(), "arguments");
    const std::vector<std::string> &axes = kernel->axes[index];
    tercet_argument value = TERCET_ARGUMENT_INIT;
    value.name = all[index].name.c_str();
    value.role = roleName(all[index].role).data(); // of a literal
    value.is_output = all[index].isOutput;
    value.is_optional = all[index].optional;
    value.dtype = dtypeTo(all[index].dtype);
    value.rank = static_cast<int32_t>(axes.size());
    for (size_t axis = 0; axis < axes.size() && axis < std::size(value.axes); ++axis)
      value.axes[axis] = axes[axis].c_str();
    return writeOutput("tercet_argument", argument, value, sizeof(tercet_argument));
  });
}

size_t tercet_kernel_parameter_count(const tercet_kernel *kernel) {
  return kernel ? kernel->signature().parameters.size() : 0;
}

tercet_status tercet_kernel_parameter(const tercet_kernel *kernel, size_t index, tercet_parameter *parameter) {
  return guarded([&]() -> Status {
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_kernel_parameter", "kernel", kernel));
    const std::vector<PlanParameter> &all = kernel->signature().parameters;
    if (index >= all.size())
      return outOfRange("tercet_kernel_parameter", index, all.size(), "parameters");
    tercet_parameter value = TERCET_PARAMETER_INIT;
    value.name = all[index].name.c_str();
    value.value = defaultOf(*kernel, all[index]);
    value.is_integer = all[index].isInteger;
    value.minimum = all[index].minimum;
    value.maximum = all[index].maximum;
    return writeOutput("tercet_parameter", parameter, value, sizeof(tercet_parameter));
  });
}

tercet_status tercet_kernel_saved_output(const tercet_kernel *forward, const tercet_kernel *backward, const char *input,
                                         const char **output) {
  return guarded([&]() -> Status {
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_kernel_saved_output", "output", output));
    *output = nullptr;
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_kernel_saved_output", "forward", forward));
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_kernel_saved_output", "backward", backward));
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_kernel_saved_output", "input", input));
    const PlanArgument *argument = backward->signature().find(std::string_view(input));
    if (!argument) {
      std::vector<std::string> names;
      for (const PlanArgument &each : backward->signature().arguments)
        names.push_back(each.name);
      return Status::make(Code::invalidArgument, "tercet_kernel_saved_output: there is no argument '{}'{}", input,
                          suggestion(input, names));
    }
    const PlanArgument *source = argument->isOutput ? nullptr : savedOutput(forward->signature(), *argument);
    *output = source ? source->name.c_str() : nullptr;
    return {};
  });
}
