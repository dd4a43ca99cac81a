// Published rules and selections in the simulator: a part in every run, all of them for docs/coverage.md.
#include "gpu/SimulatedBackend.h"
#include "numerics/PublishedCheck.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::test;

/// Every `step`-th rule and selection from `first` on.
static void checkPublished(const std::vector<Backend *> &backends, size_t first, size_t step) {
  std::vector<PublishedRule> rules;
  for (const std::vector<PublishedRule> &some : {languageRules(), gridRules(), segmentRules()})
    rules.insert(rules.end(), some.begin(), some.end());
  for (size_t index = first; index < rules.size(); index += step)
    checkRule(backends, rules[index], "gpu/SimulatedPublishedTest");
  std::vector<PublishedSelection> selections = publishedSelections();
  for (size_t index = first; index < selections.size(); index += step)
    checkSelection(backends, selections[index], "gpu/SimulatedPublishedTest");
}

TEST_CASE("some published rules hold in the simulator", "[published]") {
  SimulatedBackend backend("sim:sm_80");
  checkPublished({&backend}, 0, 10);
}

TEST_CASE("all published rules hold in the simulator", "[.][published]") {
  SimulatedBackend warps("sim:sm_80"), warpgroups("sim:sm_90a");
  checkPublished({&warps, &warpgroups}, 0, 1);
}
