// PublishedCheck: one published rule or selection, evaluated once and compared with every backend; what passes is recorded
// for docs/coverage.md.
#pragma once

#include "support/Backend.h"
#include "support/PublishedRules.h"
#include "support/PublishedSelections.h"

#include <string>
#include <vector>

namespace tercet::test {

/// `test` is named in the record: "numerics/PublishedRuleTest".
void checkRule(const std::vector<Backend *> &backends, const PublishedRule &rule, const std::string &test);
/// The class of every block, and what comes out.
void checkSelection(const std::vector<Backend *> &backends, const PublishedSelection &selection,
                    const std::string &test);

} // namespace tercet::test
