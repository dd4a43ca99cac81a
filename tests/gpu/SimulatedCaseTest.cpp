// The shared case table on simulated GPUs: what a GPU takes keeps the numerics contract, the rest is refused with a reason.
#include "gpu/SimulatedBackend.h"
#include "support/Case.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::test;

namespace {

/// GPUs move tokens in 16-byte chunks: dimensions in steps of 8, strides in multiples of 16 bytes.
bool isTaken(const PreparedCase &prepared) {
  if (prepared.problem.headDim % 8 != 0 || prepared.problem.valueDim % 8 != 0)
    return false;
  auto aligned = [](const Tensor &tensor) {
    if (tensor.rank != 4 || tensor.dtype == DType::i8)
      return true;
    for (int axis = 0; axis < 3; ++axis)
      if (tensor.strides[axis] * static_cast<int64_t>(dtypeSize(tensor.dtype)) % 16 != 0)
        return false;
    return true;
  };
  for (const auto &[name, tensor] : prepared.arguments.tensors)
    if (!aligned(tensor))
      return false;
  return true;
}

/// Every `step`-th case of the table from `first` on.
void runCases(SimulatedBackend &backend, size_t first, size_t step) {
  const std::vector<Case> &table = caseTable();
  for (size_t index = first; index < table.size(); index += step) {
    const Case &entry = table[index];
    INFO(backend.name() << ", case " << index << ": " << entry.describe());
    PreparedCase prepared = prepare(entry);
    Status status = backend.run(prepared.spec, prepared.problem, prepared.arguments, prepared.outputs.arguments());
    INFO(status.message());
    if (!isTaken(prepared)) {
      CHECK((status.code() == Code::unsupportedTarget || status.code() == Code::invalidArgument));
      continue;
    }
    CHECK(status.ok());
    if (!status.ok())
      continue;
    reference::CheckOptions options = checkOptions(entry);
    options.probabilities = entry.dtype;
    auto verdict = reference::checkOutputs(prepared.program, prepared.arguments, prepared.outputs.arguments(), options);
    INFO(verdict.status().message());
    REQUIRE(verdict.ok());
    INFO(reference::describe(*verdict));
    CHECK(verdict->passed);
  }
}

} // namespace

TEST_CASE("cases of the table keep the numerics contract in the simulator", "[cases]") {
  SimulatedBackend backend("sim:sm_80");
  runCases(backend, 0, 12);
}

TEST_CASE("all cases of the table keep the numerics contract in the simulator", "[.][all]") {
  SimulatedBackend backend("sim:sm_80");
  runCases(backend, 0, 1);
}

TEST_CASE("cases of the table hold with races looked for and copies as late as legal", "[.][adversarial]") {
  rt::SimulationOptions options;
  options.launch.checks.races = true;
  options.launch.landing = sim::Landing::latest;
  options.launch.order = sim::WarpOrder::seeded;
  options.launch.quantum = 17;
  options.launch.seed = 3;
  SimulatedBackend backend("sim:sm_80", options);
  runCases(backend, 5, 12);
}
