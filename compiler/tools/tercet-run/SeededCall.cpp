// A counter-based generator that is written out here: the same on every machine.
#include "SeededCall.h"

#include "CallSizes.h"
#include "RunCases.h"

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

} // namespace

SeededCall makeSeededCall(const Artifact &artifact, const SeededSizes &counts,
                          const std::vector<std::pair<std::string, double>> &parameters, bool withLse) {
  Storage storage;
  Arguments arguments;
  int64_t d = artifact.headDim, dv = artifact.valueDim;
  Tensor q = storage.make(artifact.dtype, {counts.batch, counts.heads, counts.queries, d}, 1, 1);
  Tensor k = storage.make(artifact.dtype, {counts.batch, counts.headsKV, counts.keys, d}, 2, 1);
  Tensor v = storage.make(artifact.dtype, {counts.batch, counts.headsKV, counts.keys, dv}, 3, 1);
  TableSizes sizes = sizesOf(artifact.signature(), q, k, v, parameters);
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
      if (withLse)
        arguments.tensors.emplace_back(argument.name, makeOutput(argument, sizes, dv, storage.memory));
      break;
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
      break; // neither bundles nor packs hold gradients
    }
  }
  arguments.parameters = parameters;
  return {std::move(storage.memory), std::move(arguments)};
}

const Tensor *SeededCall::find(const PlanSignature &signature, PlanArgument::Role role) const {
  for (const PlanArgument &argument : signature.arguments)
    if (argument.role == role)
      return arguments.find(argument.name);
  return nullptr;
}

} // namespace tercet::run
