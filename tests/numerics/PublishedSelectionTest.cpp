// Selection rules of published systems, written from the papers (tests/support/PublishedSelections.cpp), on every backend: the class of
// every block, and what comes out.
#include "RunSpec.h"
#include "support/CoverageRecord.h"
#include "support/PublishedSelections.h"

using namespace tercet;
using namespace tercet::test;

/// The classes of all heads, row-major.
static std::vector<int8_t> flat(const std::vector<BlockMap> &maps) {
  std::vector<int8_t> all;
  for (const BlockMap &map : maps)
    for (const std::vector<int> &row : map)
      all.insert(all.end(), row.begin(), row.end());
  return all;
}

TEST_CASE("blocks are picked as published systems pick them", "[published]") {
  for (const PublishedSelection &selection : publishedSelections()) {
    reference::Data inputs = inputsOf(selection);
    std::vector<BlockMap> classes;
    for (int64_t head = 0; head < selection.shape.heads; ++head)
      classes.push_back(selection.classes(inputs, head));
    RuleResult expected = evaluateSelection(selection, inputs, classes);
    Arguments arguments = inputs.arguments();
    arguments.parameters = selection.parameters;
    for (Backend *backend : backends()) {
      INFO(selection.system << ": " << selection.spec << " on " << backend->name());
      Ran ran = runSpec(*backend, specNamed(selection.spec, selection.settings), arguments);
      bool sameClasses = ran.classes == flat(classes);
      double error = distance(ran.o, expected.o), ofLogs = distance(ran.lse, expected.lse);
      double bound = backend->name() == "reference" ? 1e-6 : 1e-5; // the oracle's outputs are stored in f32
      CHECK(sameClasses);
      CHECK(error <= bound);
      CHECK(ofLogs <= bound);
      if (sameClasses && error <= bound && ofLogs <= bound)
        recordCoverage(
            {selection.system, selection.spec, "forward", backend->name(), "numerics/PublishedSelectionTest"});
    }
  }
}
