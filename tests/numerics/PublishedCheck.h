// PublishedCheck: one published rule or selection on one backend; what passes is recorded for docs/coverage.md.
#pragma once

#include "support/Backend.h"
#include "support/PublishedRules.h"
#include "support/PublishedSelections.h"

#include <string>

namespace tercet::test {

/// `test` is named in the record: "numerics/PublishedRuleTest".
void checkRule(Backend &backend, const PublishedRule &rule, const std::string &test);
/// The class of every block, and what comes out.
void checkSelection(Backend &backend, const PublishedSelection &selection, const std::string &test);

} // namespace tercet::test
