// Data is normal with unit variance, from a counter-based generator that is written out here: the same on every machine.
#include "RunBenchmarks.h"

#include "ArtifactFiles.h"
#include "CallSizes.h"

#include "tercet/rt/PlanEstimate.h"

#include <algorithm>
#include <cmath>

namespace tercet::run {
namespace {

using Role = PlanArgument::Role;

uint64_t mix(uint64_t x) { // the finaliser of SplitMix64
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

/// Sum of four uniform 16-bit numbers, scaled to variance 1: close enough to normal for timing.
float normal(uint64_t stream, uint64_t index) {
  uint64_t bits = mix(stream * 0x100000001b3 + index);
  int64_t sum = 0;
  for (int part = 0; part < 4; ++part)
    sum += static_cast<int64_t>(bits >> (16 * part) & 0xffff);
  constexpr float mean = 2 * 65535, deviation = 37837.2f; // sqrt(4 * 65536^2 / 12)
  return (static_cast<float>(sum) - mean) / deviation;
}

struct Storage {
  std::vector<std::vector<char>> memory;

  Tensor make(DType dtype, const std::vector<int64_t> &shape, uint64_t stream, float scale) {
    Tensor tensor = Tensor::contiguous(nullptr, dtype, shape);
    memory.emplace_back(static_cast<size_t>(tensor.elements()) * dtypeSize(dtype));
    tensor.data = memory.back().data();
    for (int64_t i = 0; i < tensor.elements() && dtype != DType::i32; ++i) {
      float value = scale * normal(stream, static_cast<uint64_t>(i));
      if (dtype == DType::f32)
        static_cast<float *>(tensor.data)[i] = value;
      else
        static_cast<uint16_t *>(tensor.data)[i] = dtype == DType::bf16 ? floatToBfloat16(value) : floatToHalf(value);
    }
    return tensor;
  }
};

/// Normal numbers, or i32 zeros: one segment, one document.
Tensor makeTable(const PlanArgument &argument, const TableSizes &sizes, Storage &storage) {
  std::vector<int64_t> shape;
  for (int64_t axis : argument.axes)
    shape.push_back(std::max<int64_t>(1, tableExtent(axis, sizes)));
  return storage.make(argument.dtype, shape, 6, 1);
}

Arguments makeArguments(const Artifact &artifact, const BenchmarkEntry &entry, Storage &storage) {
  Arguments arguments;
  int64_t d = artifact.headDim, dv = artifact.valueDim;
  Tensor q = storage.make(artifact.dtype, {entry.batch, entry.heads, entry.queries, d}, 1, 1);
  Tensor k = storage.make(artifact.dtype, {entry.batch, entry.headsKV, entry.keys, d}, 2, 1);
  Tensor v = storage.make(artifact.dtype, {entry.batch, entry.headsKV, entry.keys, dv}, 3, 1);
  TableSizes sizes = sizesOf(artifact.signature(), q, k, v, entry.parameters);
  for (const PlanArgument &argument : artifact.signature().arguments) {
    switch (argument.role) {
    case Role::query:
      arguments.tensors.emplace_back(argument.name, q);
      break;
    case Role::key:
      arguments.tensors.emplace_back(argument.name, k);
      break;
    case Role::value:
      arguments.tensors.emplace_back(argument.name, v);
      break;
    case Role::weight:
      arguments.tensors.emplace_back(argument.name,
                                     storage.make(DType::f32, {dv, dv}, 4, 1 / std::sqrt(static_cast<float>(dv))));
      break;
    case Role::bias:
      arguments.tensors.emplace_back(argument.name, storage.make(DType::f32, {dv}, 5, 1));
      break;
    case Role::output:
    case Role::classesOutput: // counted afterwards: the operations follow from the classes
      arguments.tensors.emplace_back(argument.name, makeOutput(argument, sizes, dv, storage.memory));
      break;
    case Role::table:
      arguments.tensors.emplace_back(argument.name, makeTable(argument, sizes, storage));
      break;
    case Role::lse:
    case Role::classes:
    case Role::queryLengths:
    case Role::keyLengths:
    case Role::wideOutput:
    case Role::lseRest:
    case Role::savedLseRest:
      break; // optional
    case Role::outputGradient:
    case Role::savedOutput:
    case Role::savedLse:
    case Role::queryGradient:
    case Role::keyGradient:
    case Role::valueGradient:
    case Role::weightGradient:
    case Role::biasGradient:
    case Role::tableGradient:
      break; // bundles hold no gradients
    }
  }
  arguments.parameters = entry.parameters;
  return arguments;
}

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
  Storage storage;
  Arguments arguments = makeArguments(artifact, entry, storage);
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
