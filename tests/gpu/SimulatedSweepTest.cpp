// Head dimensions and block sizes on simulated GPUs: a sample by design in every run, and "[sweep]": many more, each built for its
// processor first, without spills, stack or serialised products, and then simulated with the schedules that this chose.
#include "gpu/SimulatedCase.h"
#include "support/SweepCases.h"
#include "tercet/Jit.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::test;
using reference::Shape;

namespace {

const SpecNames warpgroupSpecs = {"sla", "sparse_topk", "sla_all"};

void checkSome(SimulatedBackend &backend, const std::vector<Case> &cases) {
  for (const Case &entry : cases) {
    INFO(backend.name() << ": " << entry.describe());
    checkCase(backend, entry);
  }
}

void checkBuilt(SimulatedBackend &backend, const Case &entry) {
  INFO(backend.name() << ": " << entry.describe());
  PreparedCase prepared = prepare(entry);
  prepared.problem.target = backend.name().substr(std::string("sim:").size());
  Result<EmitResult> built = emit(prepared.spec, prepared.problem, "artifact");
  INFO(built.status().message());
  CHECK(built.ok());
  if (!built.ok())
    return;
  for (const std::string &remark : built->remarks)
    if (remark.find("is passed over") != std::string::npos)
      WARN(entry.describe() << ": " << remark);
  for (const KernelResources &kernel : built->kernels) {
    INFO(kernel.kernel);
    CHECK(kernel.spillBytes == 0);
    CHECK(kernel.stackBytes == 0);
  }
  auto *bytes = reinterpret_cast<const uint8_t *>(built->bytes.data());
  Result<Artifact> artifact = Artifact::parse({bytes, built->bytes.size()});
  REQUIRE(artifact.ok());
  Status status = backend.run(*std::move(artifact), prepared.arguments, prepared.outputs.arguments());
  INFO(status.message());
  CHECK(status.ok());
  if (status.ok())
    CHECK(findFault(prepared, entry, /*probabilities=*/entry.dtype) == "");
}

void checkBuilt(SimulatedBackend &backend, const std::vector<Case> &cases) {
  for (const Case &entry : cases)
    checkBuilt(backend, entry);
}

} // namespace

TEST_CASE("head dimensions keep the numerics contract in the simulator", "[simulated]") {
  SimulatedBackend backend("sim:sm_80");
  checkSome(backend, everyNth(chunkDimensionCases({"sla"}, 3), 0, 5));
  checkSome(backend, everyNth(chunkDimensionCases(dimensionSpecs, 5), 3, 4));
}

TEST_CASE("block sizes keep the numerics contract in the simulator", "[simulated]") {
  SimulatedBackend backend("sim:sm_80");
  checkSome(backend, everyNth(blockCases({"sla"}, 4), 1, 4));
  checkSome(backend, everyNth(blockCases(blockSpecs, 1), 3, 4));
}

TEST_CASE("dimensions and blocks of warpgroups keep the numerics contract in the simulator", "[simulated]") {
  SimulatedBackend backend("sim:sm_90a");
  checkSome(backend, everyNth(warpgroupDimensionCases({"sla"}), 3, 3));
  checkSome(backend, everyNth(warpgroupBlockCases(warpgroupSpecs), 1, 4));
}

TEST_CASE("rows that 99 KiB hold in fewer warps keep the numerics contract in the simulator", "[simulated]") {
  SimulatedBackend backend("sim:sm_86");
  const Shape shape{.tokensQ = 130, .tokensK = 60, .headDim = 256};
  checkCase(backend, {.spec = "softcap", .shape = shape});
  checkCase(backend,
            {.spec = "sparse_topk", .settings = {{"block_q", "112"}}, .parameters = {{"keep", 0.5}}, .shape = shape});
}

TEST_CASE("all head dimensions build and keep the numerics contract", "[.][sweep]") {
  for (const char *target : {"sim:sm_80", "sim:sm_90a"})
    DYNAMIC_SECTION(target) {
      SimulatedBackend backend(target);
      for (const char *spec : {"sla", "dense"})
        DYNAMIC_SECTION(spec) {
          checkBuilt(backend, chunkDimensionCases({spec}, equalDimensions));
          checkBuilt(backend, chunkDimensionCases({spec}, 1));
        }
      SECTION("others in turn") {
        for (int diagonal : {2, 3, 4, 5, 6})
          checkBuilt(backend, chunkDimensionCases(dimensionSpecs, diagonal));
      }
    }
}

TEST_CASE("all pairs of block sizes build and keep the numerics contract", "[.][sweep]") {
  for (const char *target : {"sim:sm_80", "sim:sm_90a"})
    DYNAMIC_SECTION(target) {
      SimulatedBackend backend(target);
      SECTION("sla") {
        for (int diagonal = 0; diagonal < 16; ++diagonal)
          checkBuilt(backend, blockCases({"sla"}, diagonal));
      }
      SECTION("others in turn") {
        for (int diagonal = 0; diagonal < 16; ++diagonal)
          checkSome(backend, blockCases(blockSpecs, diagonal));
      }
    }
}

TEST_CASE("all dimensions and blocks of warpgroups build and keep the numerics contract", "[.][sweep]") {
  SimulatedBackend backend("sim:sm_90a");
  for (const std::string &spec : warpgroupSpecs)
    DYNAMIC_SECTION(spec) {
      checkBuilt(backend, warpgroupDimensionCases({spec}));
      checkBuilt(backend, warpgroupBlockCases({spec}));
    }
  SECTION("dense") { checkBuilt(backend, warpgroupDimensionCases({"dense"})); }
}
