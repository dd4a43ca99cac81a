#include "PublishedCheck.h"

#include "RunSpec.h"
#include "support/CoverageRecord.h"

namespace tercet::test {
namespace {

/// The oracle's outputs are stored in f32.
double boundOn(const Backend &backend) { return backend.name() == "reference" ? 1e-6 : 1e-5; }

bool isClose(const Backend &backend, const Ran &ran, const RuleResult &expected) {
  double error = distance(ran.o, expected.o), ofLogs = distance(ran.lse, expected.lse), bound = boundOn(backend);
  CHECK(error <= bound);
  CHECK(ofLogs <= bound);
  return error <= bound && ofLogs <= bound;
}

/// The classes of all heads, row-major.
std::vector<int8_t> flat(const std::vector<BlockMap> &maps) {
  std::vector<int8_t> all;
  for (const BlockMap &map : maps)
    for (const std::vector<int> &row : map)
      all.insert(all.end(), row.begin(), row.end());
  return all;
}

} // namespace

void checkRule(const std::vector<Backend *> &backends, const PublishedRule &rule, const std::string &test) {
  reference::Data inputs = inputsOf(rule, DType::f32);
  RuleResult expected = evaluateRule(rule, inputs);
  Arguments arguments = inputs.arguments();
  arguments.parameters = rule.parameters;
  for (Backend *backend : backends) {
    INFO(rule.system << ": " << rule.spec << " on " << backend->name());
    Ran ran = runSpec(*backend, specNamed(rule.spec, rule.settings), arguments);
    if (isClose(*backend, ran, expected))
      recordCoverage({rule.system, rule.spec, "forward", backend->name(), test});
  }
}

void checkSelection(const std::vector<Backend *> &backends, const PublishedSelection &selection,
                    const std::string &test) {
  reference::Data inputs = inputsOf(selection);
  std::vector<BlockMap> classes;
  for (int64_t head = 0; head < selection.shape.heads; ++head)
    classes.push_back(selection.classes(inputs, head));
  RuleResult expected = evaluateSelection(selection, inputs, classes);
  Arguments arguments = inputs.arguments();
  arguments.parameters = selection.parameters;
  for (Backend *backend : backends) {
    INFO(selection.system << ": " << selection.spec << " on " << backend->name());
    Ran ran = runSpec(*backend, specNamed(selection.spec, selection.settings), arguments);
    bool sameClasses = ran.classes == flat(classes);
    CHECK(sameClasses);
    if (isClose(*backend, ran, expected) && sameClasses)
      recordCoverage({selection.system, selection.spec, "forward", backend->name(), test});
  }
}

} // namespace tercet::test
