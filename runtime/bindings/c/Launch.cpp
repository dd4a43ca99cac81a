// Calls: shapes, workspace, launches.
#include "ArgumentAxes.h"
#include "Call.h"
#include "Options.h"

#include "tercet/Spelling.h"

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

using namespace tercet;
using namespace tercet::c;

namespace {

using Role = PlanArgument::Role;

Result<tercet_call> readCall(const char *function, const tercet_kernel *kernel, const tercet_call *call) {
  TERCET_RETURN_IF_ERROR(checkGiven(function, "kernel", kernel));
  return readOptions("tercet_call", call, sizeof(tercet_call));
}

double parameterOf(const PlanSignature &signature, const Arguments &arguments, const std::string &name) {
  for (const auto &[given, value] : arguments.parameters)
    if (given == name)
      return value;
  for (const PlanParameter &parameter : signature.parameters)
    if (parameter.name == name)
      return parameter.value;
  return 0;
}

/// What named axes count in a call; invalidArgument where q, k or v is missing or has another rank than 4.
Result<TableSizes> sizesOf(const PlanSignature &signature, const Arguments &arguments) {
  const Tensor *tensors[3] = {};
  for (Role role : {Role::query, Role::key, Role::value}) {
    const PlanArgument *argument = signature.find(role);
    const Tensor *tensor = argument ? arguments.find(argument->name) : nullptr;
    if (!argument)
      return Status::make(Code::internal, "the plan lacks q, k or v");
    if (!tensor)
      return Status::make(Code::invalidArgument, "tensor '{}' is missing; shapes follow from it", argument->name);
    if (tensor->rank != 4)
      return Status::make(Code::invalidArgument, "'{}' is {}; it must have 4 dimensions", argument->name,
                          tensor->describe());
    tensors[role == Role::query ? 0 : role == Role::key ? 1 : 2] = tensor;
  }
  const auto &[q, k, v] = tensors;
  TableSizes sizes{q->shape[0], q->shape[1], k->shape[1], q->shape[2], k->shape[2], v->shape[3]};
  std::optional<TokenOrder> order;
  if (signature.order) {
    order = signature.order->sized([&](const std::string &name) { return parameterOf(signature, arguments, name); });
    TERCET_RETURN_IF_ERROR(checkTokenOrder(*order, sizes.tokensQ, sizes.tokensK));
  }
  return sizes.inBlocks(signature.blockQ, signature.blockK, order);
}

Result<std::vector<int64_t>> shapeOf(const tercet_kernel &kernel, const PlanArgument &argument,
                                     const Arguments &arguments, const TableSizes &sizes) {
  std::vector<int64_t> shape;
  for (int64_t axis : argumentAxes(argument, kernel.kernel->artifact().headDim))
    shape.push_back(tableExtent(axis, sizes));
  if (argument.role != Role::tableGradient)
    return shape;
  const Tensor *table = arguments.find(std::string_view(argument.name).substr(1)); // dNAME is the gradient of NAME
  if (!table)
    return Status::make(Code::invalidArgument, "'{}' has the shape of '{}', which is not given", argument.name,
                        argument.name.substr(1));
  return std::vector<int64_t>(table->shape.begin(), table->shape.begin() + table->rank);
}

/// Needed outputs that a caller who asks for shapes has not made yet.
Status addOutputs(const tercet_kernel &kernel, Arguments &arguments) {
  for (const PlanArgument &argument : kernel.signature().arguments) {
    if (!argument.isOutput || argument.optional || arguments.find(argument.name))
      continue;
    TERCET_TRY(TableSizes sizes, sizesOf(kernel.signature(), arguments));
    TERCET_TRY(std::vector<int64_t> shape, shapeOf(kernel, argument, arguments, sizes));
    arguments.tensors.emplace_back(argument.name, Tensor::contiguous(nullptr, argument.dtype, shape));
  }
  return {};
}

std::string reportJson(const LaunchReport &report, bool classifies) {
  nlohmann::ordered_json stages = nlohmann::ordered_json::array();
  for (const auto &[stage, ms] : report.stageMs) {
    nlohmann::ordered_json entry = {{"stage", stage}, {"ms", ms}};
    if (auto flops = report.stageFlops.find(stage); flops != report.stageFlops.end())
      entry["flop"] = flops->second;
    stages.push_back(std::move(entry));
  }
  nlohmann::ordered_json object = {{"ms", report.totalMs}, {"stages", std::move(stages)}};
  if (classifies)
    object["blocks"] = {
        {"kept", report.criticalBlocks}, {"linear", report.marginalBlocks}, {"skipped", report.negligibleBlocks}};
  return object.dump();
}

} // namespace

tercet_status tercet_kernel_shape(const tercet_kernel *kernel, const tercet_call *given, const char *name,
                                  int64_t shape[4], int32_t *rank) {
  return guarded([&]() -> Status {
    TERCET_TRY(tercet_call call, readCall("tercet_kernel_shape", kernel, given));
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_kernel_shape", "name", name));
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_kernel_shape", "shape", shape));
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_kernel_shape", "rank", rank));
    const PlanArgument *argument = kernel->signature().find(std::string_view(name));
    if (!argument) {
      std::vector<std::string> names;
      for (const PlanArgument &each : kernel->signature().arguments)
        names.push_back(each.name);
      return Status::make(Code::invalidArgument, "there is no tensor '{}'; this kernel takes {}{}", name,
                          fmt::join(names, ", "), suggestion(name, names));
    }
    TERCET_TRY(Arguments arguments, argumentsFrom(*kernel, call, CallUse::shapes));
    TERCET_TRY(TableSizes sizes, sizesOf(kernel->signature(), arguments));
    TERCET_TRY(std::vector<int64_t> found, shapeOf(*kernel, *argument, arguments, sizes));
    for (int64_t extent : found)
      if (extent < 1)
        return Status::make(Code::invalidArgument, "'{}' has no one shape: its caller chooses [{}]", name,
                            fmt::join(found, ", "));
    for (size_t axis = 0; axis < 4; ++axis)
      shape[axis] = axis < found.size() ? found[axis] : 1;
    *rank = static_cast<int32_t>(found.size());
    return {};
  });
}

tercet_status tercet_kernel_workspace(const tercet_kernel *kernel, const tercet_call *given, size_t *bytes) {
  return guarded([&]() -> Status {
    TERCET_TRY(tercet_call call, readCall("tercet_kernel_workspace", kernel, given));
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_kernel_workspace", "bytes", bytes));
    TERCET_TRY(Arguments arguments, argumentsFrom(*kernel, call, CallUse::shapes));
    TERCET_RETURN_IF_ERROR(addOutputs(*kernel, arguments));
    TERCET_TRY(*bytes, kernel->kernel->workspaceBytes(arguments));
    return {};
  });
}

tercet_status tercet_launch(const tercet_kernel *kernel, const tercet_call *given, char **report) {
  return guarded([&]() -> Status {
    if (report)
      *report = nullptr;
    TERCET_TRY(tercet_call call, readCall("tercet_launch", kernel, given));
    TERCET_TRY(Arguments arguments, argumentsFrom(*kernel, call, CallUse::launch));
    if (!report)
      return kernel->kernel->launch(arguments, call.workspace, call.workspace_bytes);
    LaunchReport told;
    TERCET_RETURN_IF_ERROR(kernel->kernel->launch(arguments, call.workspace, call.workspace_bytes, &told));
    *report = textFor(reportJson(told, kernel->signature().blockQ > 0));
    return {};
  });
}

tercet_status tercet_enqueue(const tercet_kernel *kernel, const tercet_call *given) {
  return guarded([&]() -> Status {
    TERCET_TRY(tercet_call call, readCall("tercet_enqueue", kernel, given));
    TERCET_TRY(Arguments arguments, argumentsFrom(*kernel, call, CallUse::launch));
    return kernel->kernel->enqueue(arguments, call.workspace, call.workspace_bytes, call.stream);
  });
}
