// Fuzz target: artifacts, and what is done with one before any of its code runs: checks and estimates. Input: a manifest,
// then after its first NUL byte a code area, put into a file that is whole and signed; random damage would end at the
// digest. The input is read as a file of its own, too.
#include "Target.h"

#include "unit/runtime/ArtifactFile.h"

#include "tercet/rt/PlanEstimate.h"

using namespace tercet;
using Role = PlanArgument::Role;

/// A table of these extents; those that would not fit into memory are cut, and then refused.
static Tensor tableFor(const PlanArgument &argument, const TableSizes &sizes) {
  constexpr int64_t longest = 1 << 12, ofAny = 5;
  std::vector<int64_t> shape;
  for (int64_t axis : argument.axes)
    shape.push_back(axis == static_cast<int64_t>(TableAxis::any) ? ofAny : std::min(tableExtent(axis, sizes), longest));
  return Tensor::contiguous(nullptr, argument.dtype, shape);
}

/// A tensor that fits this argument in a call with `tokens` query tokens, 2 batches, 4 heads and 2 KV heads.
static Tensor tensorFor(const PlanArgument &argument, const Artifact &artifact, int64_t tokens) {
  constexpr int64_t batch = 2, heads = 4, headsKV = 2, keys = 80;
  const PlanSignature &signature = artifact.signature();
  int64_t headDim = artifact.headDim, valueDim = artifact.valueDim;
  auto make = [&](std::initializer_list<int64_t> shape) { return Tensor::contiguous(nullptr, argument.dtype, shape); };
  auto blocks = [](int64_t count, int64_t block) { return block > 0 ? (count - 1) / block + 1 : 1; };
  switch (argument.role) {
  case Role::query:
  case Role::queryGradient:
    return make({batch, heads, tokens, headDim});
  case Role::key:
  case Role::keyGradient:
    return make({batch, headsKV, keys, headDim});
  case Role::value:
  case Role::valueGradient:
    return make({batch, headsKV, keys, valueDim});
  case Role::output:
  case Role::wideOutput:
  case Role::outputGradient:
  case Role::savedOutput:
    return make({batch, heads, tokens, valueDim});
  case Role::lse:
  case Role::lseRest:
  case Role::savedLse:
  case Role::savedLseRest:
    return make({batch, heads, tokens});
  case Role::weight:
  case Role::weightGradient:
    return make({valueDim, valueDim});
  case Role::bias:
  case Role::biasGradient:
    return make({valueDim});
  case Role::table:
  case Role::tableGradient:
    return tableFor(argument, {batch, heads, headsKV, tokens, keys, valueDim, blocks(tokens, signature.blockQ),
                               blocks(keys, signature.blockK)});
  case Role::queryLengths:
  case Role::keyLengths:
    return make({batch});
  case Role::classes:
  case Role::classesOutput:
    return make({batch, heads, blocks(tokens, signature.blockQ), blocks(keys, signature.blockK)});
  }
  return {};
}

static void estimate(const Artifact &artifact, int64_t tokens, bool withOptional) {
  Arguments arguments;
  for (const PlanArgument &argument : artifact.signature().arguments)
    if (!argument.optional || withOptional)
      arguments.tensors.emplace_back(argument.name, tensorFor(argument, artifact, tokens));
  for (const TargetModule &module : artifact.modules) {
    Result<rt::PlanEstimate> estimate = rt::estimatePlan(artifact, module, arguments, {7, 5, 3}, 3);
    if (!estimate.ok())
      fuzz::checkRefusal(estimate.status(), Code::invalidArgument);
    else
      for (const rt::NodeEstimate &node : estimate->nodes)
        TERCET_CHECK(node.runs >= 0 && node.items >= 0, "counts are counts");
  }
}

static void read(std::span<const uint8_t> file) {
  Result<Artifact> artifact = Artifact::parse(file);
  if (!artifact.ok())
    return fuzz::checkRefusal(artifact.status(), Code::invalidArgument);
  std::vector<uint8_t> written = artifact->serialize();
  Result<Artifact> again = Artifact::parse(written);
  TERCET_CHECK(again.ok() && again->serialize() == written, "what was read is written, and read again");
  Result<Artifact> backward = artifact->backward();
  if (!backward.ok())
    fuzz::checkRefusal(backward.status(), Code::invalidArgument);
  for (int64_t tokens : {1, 300})
    for (bool withOptional : {false, true})
      for (const Artifact *direction : {&*artifact, backward.ok() ? &*backward : nullptr})
        if (direction)
          estimate(*direction, tokens, withOptional);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view input(reinterpret_cast<const char *>(data), size);
  size_t end = std::min(input.find('\0'), input.size());
  read(test::artifactFile(input.substr(0, end), input.substr(std::min(end + 1, size))));
  read({data, size});
  return 0;
}
