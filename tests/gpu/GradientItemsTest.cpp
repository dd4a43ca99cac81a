// Gradients of keys that all queries see beside others that few do, in the simulator: lists in parts, by warps and warpgroups.
#include "gpu/SimulatedGradients.h"

using namespace tercet;
using namespace tercet::test;

namespace {

/// A stream's sinks beside a window, or key blocks that every query block takes.
Case sinks(const char *spec, int64_t batch) {
  Case entry{.name = "sinks",
             .spec = spec,
             .shape = {.batch = batch, .heads = 2, .headsKV = 1, .tokensQ = 1100, .tokensK = 1100, .headDim = 64},
             .dtype = DType::bf16};
  if (entry.spec == "streaming") {
    entry.parameters = {{"sink", 4}, {"window", 10}};
  } else {
    entry.settings = {{"sink", "1"}};
    entry.parameters = {{"keep", 0.02}};
  }
  return entry;
}

/// Whether some lines came in parts since it was last asked.
bool addedParts(SimulatedBackend &backend) {
  return backend.takeCounts("gradient_keys_sums")["global_store_bytes"] > 0;
}

} // namespace

TEST_CASE("gradients of columns that all queries see, in parts", "[gradient][items]") {
  for (const char *spec : {"sparse_topk", "streaming"})
    for (const char *target : {"sim:sm_80", "sim:sm_90a"}) {
      INFO(spec << " " << target);
      GradientRun run(sinks(spec, 1));
      Gradients first = gradientsOf(backendFor(target), run);
      CHECK(addedParts(backendFor(target)));
      reference::Verdict verdict = run.verdict(DType::bf16);
      INFO(reference::describe(verdict));
      CHECK(verdict.passed);
      // The same bits under any legal order of events, with races looked for, and at any place in a batch.
      checkSame(gradientsOf(backendFor(target, /*adversarial=*/true), run), first);
      GradientRun copies(sinks(spec, 2));
      copies.copyTokens(run, /*sameHead=*/true);
      checkCopies(gradientsOf(backendFor(target), copies), first);
    }
}

TEST_CASE("parts of columns end with the lengths", "[gradient][items]") {
  for (const char *spec : {"sparse_topk", "streaming"}) {
    Case entry = sinks(spec, 3);
    entry.shape.headDim = 32;
    entry.queryLengths = {1030, 0, 1100};
    entry.keyLengths = {970, 1100, 65};
    entry.poison = true;
    checkByContract(backendFor("sim:sm_80"), entry);
    CHECK(addedParts(backendFor("sim:sm_80")));
  }
}
