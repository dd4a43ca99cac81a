// The shared case table on simulated GPUs: what a GPU takes keeps the numerics contract, the rest is refused with a reason.
#include "gpu/SimulatedCase.h"
#include "support/BranchCases.h"
#include "support/OrderCases.h"
#include "support/PoolScoreCases.h"
#include "support/RoutingCases.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::test;

namespace {

/// Every `step`-th case of the table from `first` on.
void runCases(SimulatedBackend &backend, size_t first, size_t step, Case (*change)(Case) = nullptr) {
  const std::vector<Case> &table = caseTable();
  for (size_t index = first; index < table.size(); index += step) {
    Case entry = change ? change(table[index]) : table[index];
    INFO(backend.name() << ", case " << index << ": " << entry.describe());
    checkCase(backend, entry);
  }
}

/// Cases of one kind: as they are, and with races looked for and copies as late as legal.
void runAll(void (*add)(std::vector<Case> &)) {
  rt::SimulationOptions options;
  options.launch.checks.races = true;
  options.launch.landing = sim::Landing::latest;
  SimulatedBackend plain("sim:sm_80"), hostile("sim:sm_90a", options);
  std::vector<Case> cases;
  add(cases);
  for (SimulatedBackend *backend : {&plain, &hostile})
    for (const Case &entry : cases) {
      INFO(backend->name() << ": " << entry.describe());
      checkCase(*backend, entry);
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

TEST_CASE("all cases of the table keep the numerics contract on later processors", "[.][later]") {
  for (const char *target : {"sim:sm_90", "sim:sm_120"}) {
    SimulatedBackend backend(target);
    runCases(backend, 0, 1);
  }
}

TEST_CASE("cases of the table keep the numerics contract by warpgroups in the simulator", "[cases]") {
  SimulatedBackend backend("sim:sm_90a");
  runCases(backend, 3, 12, forWarpgroups);
}

TEST_CASE("all cases of the table keep the numerics contract by warpgroups in the simulator", "[.][all]") {
  SimulatedBackend backend("sim:sm_90a");
  runCases(backend, 0, 1, forWarpgroups);
}

TEST_CASE("all cases of several branches keep the numerics contract in the simulator", "[.][branches]") {
  runAll(addBranchCases);
}

TEST_CASE("all cases of block means by means of queries keep the numerics contract in the simulator", "[.][means]") {
  runAll(addPooledMeanCases);
}

TEST_CASE("all cases of token orders keep the numerics contract in the simulator", "[.][order]") {
  runAll(addOrderCases);
}

TEST_CASE("all cases of routed tokens keep the numerics contract in the simulator", "[.][routing]") {
  runAll(addRoutingCases);
}

TEST_CASE("all cases of scores by pools keep the numerics contract in the simulator", "[.][pools]") {
  runAll(addPoolScoreCases);
}

TEST_CASE("cases of the table hold with races looked for and copies as late as legal", "[.][adversarial]") {
  rt::SimulationOptions options;
  options.launch.checks.races = true;
  options.launch.landing = sim::Landing::latest;
  options.launch.order = sim::WarpOrder::seeded;
  options.launch.quantum = 17;
  options.launch.seed = 3;
  SimulatedBackend warps("sim:sm_80", options), warpgroups("sim:sm_90a", options);
  runCases(warps, 5, 12);
  runCases(warpgroups, 8, 12, forWarpgroups);
}
