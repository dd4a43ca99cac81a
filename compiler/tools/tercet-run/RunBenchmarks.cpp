#include "RunBenchmarks.h"

#include "ArtifactFiles.h"
#include "SeededCall.h"

#include "tercet/rt/PlanEstimate.h"

#include <algorithm>
#include <cmath>

namespace tercet::run {
namespace {

using Role = PlanArgument::Role;

void countBlocks(const Artifact &artifact, const Arguments &arguments, BenchmarkResult &result) {
  for (const PlanArgument &argument : artifact.signature().arguments) {
    if (argument.role != Role::classesOutput)
      continue;
    const Tensor &classes = *arguments.find(argument.name);
    const auto *bytes = static_cast<const int8_t *>(classes.data);
    for (int64_t i = 0; i < classes.elements(); ++i)
      (bytes[i] > 0 ? result.criticalBlocks : bytes[i] == 0 ? result.marginalBlocks : result.negligibleBlocks) += 1;
  }
}

Status time(BoundKernel &kernel, const RunTarget &target, const BenchmarkOptions &options, BenchmarkResult &result) {
  for (int64_t warmUp = 0; warmUp < std::max<int64_t>(1, options.warmUps); ++warmUp) {
    TERCET_TRY(LaunchReport report, kernel.launch());
    result.stageMs = report.stageMs; // of the last
  }
  if (target.device) {
    TERCET_TRY(auto graph, kernel.capture());
    TERCET_RETURN_IF_ERROR(kernel.replay(*graph));
    TERCET_TRY(result.ms, kernel.timeReplays(*graph, options.repetitions));
  } else {
    for (int64_t repetition = 0; repetition < options.repetitions; ++repetition) {
      TERCET_TRY(LaunchReport report, kernel.launch());
      result.ms.push_back(report.totalMs);
    }
  }
  std::sort(result.ms.begin(), result.ms.end());
  return {};
}

Status run(const RunTarget &target, const BenchmarkEntry &entry, const BenchmarkOptions &options,
           BenchmarkResult &result) {
  TERCET_TRY(Artifact artifact, loadArtifacts(entry.artifacts));
  result.dtype = dtypeName(artifact.dtype);
  result.headDim = artifact.headDim;
  result.valueDim = artifact.valueDim;
  if (options.largestTokens > 0 && std::max(entry.queries, entry.keys) > options.largestTokens) {
    result.skipped = fmt::format("more than {} tokens", options.largestTokens);
    return {};
  }
  Result<std::shared_ptr<Kernel>> kernel = target.session.load(artifact, target.target);
  if (!kernel.ok() && kernel.status().code() == Code::unsupportedTarget) {
    result.skipped = kernel.status().message();
    return {};
  }
  TERCET_RETURN_IF_ERROR(kernel.takeStatus());
  result.module = (*kernel)->module().target;
  SeededCall call =
      makeSeededCall(artifact, {entry.batch, entry.heads, entry.headsKV, entry.queries, entry.keys}, entry.parameters);
  const Arguments &arguments = call.arguments;
  TERCET_TRY(BoundKernel bound, BoundKernel::bind(*kernel, target.device, arguments));
  TERCET_RETURN_IF_ERROR(time(bound, target, options, result));
  TERCET_RETURN_IF_ERROR(bound.download());
  countBlocks(artifact, arguments, result);
  int threads =
      target.device ? static_cast<int>(target.device->properties().multiprocessors) : target.session.threads();
  TERCET_TRY(rt::PlanEstimate estimate,
             rt::estimatePlan(artifact, (*kernel)->module(), arguments,
                              {result.criticalBlocks, result.marginalBlocks, result.negligibleBlocks}, threads));
  for (const rt::NodeEstimate &node : estimate.nodes)
    result.flops += node.flops;
  return {};
}

} // namespace

BenchmarkResult runBenchmark(const RunTarget &target, const BenchmarkEntry &entry, const BenchmarkOptions &options) {
  BenchmarkResult result;
  result.name = entry.name;
  result.spec = entry.spec;
  result.batch = entry.batch;
  result.heads = entry.heads;
  result.headsKV = entry.headsKV;
  result.queries = entry.queries;
  result.keys = entry.keys;
  if (Status status = run(target, entry, options, result); !status.ok())
    result.error = status.message();
  return result;
}

} // namespace tercet::run
