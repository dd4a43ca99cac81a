#include "BoundKernel.h"

#include <algorithm>

namespace tercet::run {
namespace {

constexpr size_t hostAlignment = 64; // Kernel::launch

} // namespace

BoundKernel::~BoundKernel() = default;

Result<BoundKernel> BoundKernel::bind(std::shared_ptr<Kernel> kernel, std::shared_ptr<rt::GpuDevice> device,
                                      const Arguments &host) {
  BoundKernel bound;
  bound.kernel = std::move(kernel);
  bound.device = std::move(device);
  bound.host = host;
  TERCET_TRY(bound.workspaceSize, bound.kernel->workspaceBytes(host));
  if (!bound.device) {
    bound.hostWorkspace = std::make_unique<std::byte[]>(bound.workspaceSize + hostAlignment);
    bound.workspace = bound.hostWorkspace.get();
    size_t room = bound.workspaceSize + hostAlignment;
    std::align(hostAlignment, bound.workspaceSize, bound.workspace, room);
    return bound;
  }
  bound.stream = std::make_unique<StreamOwner>();
  bound.stream->device = bound.device;
  TERCET_TRY(bound.stream->stream, bound.device->createStream());
  TERCET_TRY(bound.deviceWorkspace, rt::GpuMemory::allocate(bound.device, bound.workspaceSize));
  bound.workspace = bound.deviceWorkspace.data();
  TERCET_TRY(bound.staged, rt::StagedCall::upload(bound.device, host));
  return bound;
}

Arguments BoundKernel::with(const std::vector<std::pair<std::string, double>> &parameters) const {
  Arguments arguments = bound();
  for (const auto &[name, value] : parameters) {
    std::erase_if(arguments.parameters, [&name = name](const auto &parameter) { return parameter.first == name; });
    arguments.parameters.emplace_back(name, value);
  }
  return arguments;
}

Result<LaunchReport> BoundKernel::launch(const std::vector<std::pair<std::string, double>> &parameters) {
  LaunchReport report;
  TERCET_RETURN_IF_ERROR(kernel->launch(with(parameters), workspace, workspaceSize, &report));
  return report;
}

Result<std::unique_ptr<rt::GpuGraph>>
BoundKernel::capture(const std::vector<std::pair<std::string, double>> &parameters) {
  if (!device)
    return Status::make(Code::unsupportedTarget, "graphs are captured on GPUs only");
  TERCET_RETURN_IF_ERROR(device->beginCapture(stream->stream));
  Status queued = kernel->enqueue(with(parameters), workspace, workspaceSize, stream->stream);
  Result<std::unique_ptr<rt::GpuGraph>> graph = device->endCapture(stream->stream); // ends in any case
  TERCET_RETURN_IF_ERROR(std::move(queued));
  return graph;
}

Status BoundKernel::replay(rt::GpuGraph &graph) {
  TERCET_RETURN_IF_ERROR(graph.launch(stream->stream));
  return device->synchronize(stream->stream);
}

Result<std::vector<double>> BoundKernel::timeReplays(rt::GpuGraph &graph, int64_t repetitions) {
  TERCET_TRY(rt::GpuEvent begin, device->createEvent());
  Result<rt::GpuEvent> end = device->createEvent();
  std::vector<double> ms;
  auto once = [&]() -> Status {
    TERCET_RETURN_IF_ERROR(device->record(begin, stream->stream));
    TERCET_RETURN_IF_ERROR(graph.launch(stream->stream));
    TERCET_RETURN_IF_ERROR(device->record(*end, stream->stream));
    TERCET_RETURN_IF_ERROR(device->synchronize(stream->stream));
    TERCET_TRY(double elapsed, device->elapsedMs(begin, *end));
    ms.push_back(elapsed);
    return {};
  };
  Status status = end.status().copy();
  for (int64_t repetition = 0; status.ok() && repetition < repetitions; ++repetition)
    status = once();
  device->destroyEvent(begin);
  if (end.ok())
    device->destroyEvent(*end);
  TERCET_RETURN_IF_ERROR(std::move(status));
  return ms;
}

Status BoundKernel::upload() { return staged ? staged->refresh() : Status(); }

Status BoundKernel::download() {
  if (!staged)
    return {};
  std::vector<std::string> outputs;
  for (const PlanArgument &argument : kernel->artifact().signature().arguments)
    if (argument.isOutput)
      outputs.push_back(argument.name);
  return staged->download(outputs);
}

} // namespace tercet::run
