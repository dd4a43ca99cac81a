// SampleModule: an artifact whose one kernel comes from a real shared object, built beside the tests.
#pragma once

#include "tercet/AtomicFile.h"
#include "tercet/Session.h"

#include <catch2/catch.hpp>

namespace tercet::test {

/// The bytes of sample module 1 or 2; their kernels write 100 + item and 200 + item.
inline std::vector<uint8_t> sampleCode(int number) {
  Result<std::vector<uint8_t>> code =
      readWholeFile(number == 1 ? TERCET_SAMPLE_MODULE_1 : TERCET_SAMPLE_MODULE_2, 1 << 24);
  REQUIRE(code.ok());
  return *std::move(code);
}

/// q, k, v of head dimension 1, o [1, 1, N, 2] f32; the kernel writes N int64 values over the bytes of o.
inline Artifact sampleModuleArtifact(int number) {
  using Role = PlanArgument::Role;
  Artifact artifact;
  artifact.specName = "sample_module";
  artifact.headDim = 1;
  artifact.valueDim = 2;
  Plan plan;
  plan.arguments = {{"q", Role::query, false, false, DType::f32},
                    {"k", Role::key, false, false, DType::f32},
                    {"v", Role::value, false, false, DType::f32},
                    {"o", Role::output, false, true, DType::f32}};
  PlanNode node;
  node.callee = "sample_kernel";
  node.stage = "attend";
  node.grid[0] = Expr::symbol("N");
  node.slots = {{PlanSlot::Kind::tensor, "o", 0}};
  plan.nodes = {node};
  artifact.modules = {{"cpu:portable", plan, {{"sample_kernel", 0, ""}}, sampleCode(number)}};
  return artifact;
}

/// Launches a kernel of sampleModuleArtifact with N = 3 and returns what it wrote first.
inline int64_t sampleValue(const Kernel &kernel) {
  float q[3] = {}, k[1] = {}, v[2] = {};
  int64_t o[3] = {};
  Arguments arguments;
  arguments.tensors = {{"q", Tensor::contiguous(q, DType::f32, {1, 1, 3, 1})},
                       {"k", Tensor::contiguous(k, DType::f32, {1, 1, 1, 1})},
                       {"v", Tensor::contiguous(v, DType::f32, {1, 1, 1, 2})},
                       {"o", Tensor::contiguous(o, DType::f32, {1, 1, 3, 2})}};
  Result<size_t> size = kernel.workspaceBytes(arguments);
  REQUIRE(size.ok());
  alignas(64) char workspace[4096];
  REQUIRE(*size <= sizeof(workspace));
  Status status = kernel.launch(arguments, workspace, sizeof(workspace));
  INFO(status.message());
  REQUIRE(status.ok());
  return o[0];
}

} // namespace tercet::test
