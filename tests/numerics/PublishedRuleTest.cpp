// Specs of published rules against those rules, written from the papers (tests/support/PublishedRules.cpp), on every backend.
#include "RunSpec.h"
#include "support/CoverageRecord.h"
#include "support/PublishedRules.h"

using namespace tercet;
using namespace tercet::test;

TEST_CASE("specs of published rules give a softmax over the pairs that the papers name", "[published]") {
  for (const PublishedRule &rule : publishedRules()) {
    reference::Data inputs = inputsOf(rule, DType::f32);
    RuleResult expected = evaluateRule(rule, inputs);
    Arguments arguments = inputs.arguments();
    arguments.parameters = rule.parameters;
    for (Backend *backend : backends()) {
      INFO(rule.system << ": " << rule.spec << " on " << backend->name());
      Ran ran = runSpec(*backend, specNamed(rule.spec, rule.settings), arguments);
      bool isOracle = backend->name() == "reference";
      double error = distance(ran.o, expected.o), ofLogs = distance(ran.lse, expected.lse);
      CHECK(error <= (isOracle ? 1e-6 : 1e-5)); // the oracle's outputs are stored in f32
      CHECK(ofLogs <= (isOracle ? 1e-6 : 1e-5));
      if (error <= 1e-5 && ofLogs <= 1e-5)
        recordCoverage({rule.system, rule.spec, "forward", backend->name(), "numerics/PublishedRuleTest"});
    }
  }
}
