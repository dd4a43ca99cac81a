// See the header.
#include "gpu/SimulatedCase.h"

#include <catch2/catch.hpp>

namespace tercet::test {

namespace {

/// GPUs move tokens in 16-byte chunks: dimensions in steps of 8, strides in multiples of 16 bytes.
bool isTaken(const PreparedCase &prepared) {
  if (prepared.problem.headDim % 8 != 0 || prepared.problem.valueDim % 8 != 0)
    return false;
  for (const auto &[name, tensor] : prepared.arguments.tensors)
    if (name == "q" || name == "k" || name == "v")
      for (int axis = 0; axis < 3; ++axis)
        if (tensor.strides[axis] * static_cast<int64_t>(dtypeSize(tensor.dtype)) % 16 != 0)
          return false;
  return true;
}

} // namespace

void checkCase(SimulatedBackend &backend, const Case &entry) {
  PreparedCase prepared = prepare(entry);
  Status status = backend.run(prepared.spec, prepared.problem, prepared.arguments, prepared.outputs.arguments());
  INFO(status.message());
  if (!isTaken(prepared)) {
    CHECK((status.code() == Code::unsupportedTarget || status.code() == Code::invalidArgument));
    return;
  }
  CHECK(status.ok());
  if (status.ok())
    CHECK(findFault(prepared, entry, /*probabilities=*/entry.dtype) == "");
}

Case forWarpgroups(Case entry) {
  auto inSteps = [](int64_t size) { return (size + 63) / 64 * 64; };
  entry.shape = entry.shape.resolved();
  entry.shape.headDim = inSteps(entry.shape.headDim);
  entry.shape.valueDim = inSteps(entry.shape.valueDim);
  if (entry.dtype == DType::f32)
    entry.dtype = DType::bf16;
  for (const char *block : {"block_q", "block_k"})
    if (auto found = entry.settings.find(block); found != entry.settings.end())
      found->second = "64";
  if (entry.settings.contains("block_q"))
    for (const char *side : {"tile_t", "tile_y", "tile_x"}) // 4 x 4 x 4: a block
      if (auto found = entry.settings.find(side); found != entry.settings.end())
        found->second = "4";
  return entry;
}

} // namespace tercet::test
