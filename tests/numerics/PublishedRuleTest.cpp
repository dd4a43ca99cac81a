// Specs of published rules against those rules, written from the papers (tests/support/Published*Rules.cpp), on every backend.
#include "RunSpec.h"
#include "support/CoverageRecord.h"
#include "support/PublishedRules.h"

using namespace tercet;
using namespace tercet::test;

static void checkRules(const std::vector<PublishedRule> &rules) {
  for (const PublishedRule &rule : rules) {
    reference::Data inputs = inputsOf(rule, DType::f32);
    RuleResult expected = evaluateRule(rule, inputs);
    Arguments arguments = inputs.arguments();
    arguments.parameters = rule.parameters;
    for (Backend *backend : backends()) {
      INFO(rule.system << ": " << rule.spec << " on " << backend->name());
      Ran ran = runSpec(*backend, specNamed(rule.spec, rule.settings), arguments);
      double bound = backend->name() == "reference" ? 1e-6 : 1e-5; // the oracle's outputs are stored in f32
      double error = distance(ran.o, expected.o), ofLogs = distance(ran.lse, expected.lse);
      CHECK(error <= bound);
      CHECK(ofLogs <= bound);
      if (error <= bound && ofLogs <= bound)
        recordCoverage({rule.system, rule.spec, "forward", backend->name(), "numerics/PublishedRuleTest"});
    }
  }
}

TEST_CASE("masks, scores and patterns of language models are those of their papers", "[published]") {
  checkRules(languageRules());
}

TEST_CASE("neighbourhoods, axes and video patterns are those of their papers", "[published]") {
  checkRules(gridRules());
}

TEST_CASE("tables of segments and masks handed in say what their papers say", "[published]") {
  checkRules(segmentRules());
}
