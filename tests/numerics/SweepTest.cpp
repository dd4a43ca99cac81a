// Head dimensions and block sizes on the CPU: a sample by design in every run, and "[sweep]": all of them, at every level.
#include "CaseCheck.h"
#include "support/SweepCases.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::test;

namespace {

void checkAll(Backend &backend, const std::vector<Case> &cases) {
  for (const Case &entry : cases)
    checkCase(backend, entry);
}

} // namespace

TEST_CASE("every residue of head dimensions keeps the numerics contract", "[cpu]") {
  Backend &backend = *cpuBackends().front();
  checkAll(backend, dimensionCases({"dense"}, 0));
  checkAll(backend, dimensionCases(dimensionSpecs, 1));
  checkAll(backend, chunkDimensionCases({"sla"}, 3));
}

TEST_CASE("every block size keeps the numerics contract", "[cpu]") {
  Backend &backend = *cpuBackends().front();
  checkAll(backend, blockCases({"sla"}, 0));
  checkAll(backend, blockCases(blockSpecs, 1));
}

TEST_CASE("all head dimensions keep the numerics contract", "[.][sweep]") {
  for (Backend *backend : cpuBackends())
    DYNAMIC_SECTION(backend->name()) {
      for (int diagonal = 0; diagonal < 16; ++diagonal)
        for (const SpecNames &specs : {SpecNames{"sla"}, SpecNames{"dense"}, dimensionSpecs})
          checkAll(*backend, dimensionCases(specs, diagonal));
      checkAll(*backend, chunkDimensionCases({"sla"}, equalDimensions));
    }
}

TEST_CASE("all pairs of block sizes keep the numerics contract", "[.][sweep]") {
  for (Backend *backend : cpuBackends())
    DYNAMIC_SECTION(backend->name())
  for (int diagonal = 0; diagonal < 16; ++diagonal)
    for (const SpecNames &specs : {SpecNames{"sla"}, blockSpecs})
      checkAll(*backend, blockCases(specs, diagonal));
}
