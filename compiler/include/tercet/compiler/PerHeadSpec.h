// PerHeadSpec: a spec whose parameter becomes a table over query heads, so that every head has its own value.
#pragma once

#include "tercet/Session.h"

#include <string>

namespace tercet::compiler {

/// The text of the spec, its settings bound as defaults, with one more argument `table` of type table<[head], f32> (i32 for an
/// i64 parameter) that replaces the runtime parameter: as budgets of tercet.select where the parameter is its keep, and by
/// tercet.read wherever a region takes its value. invalidSpec as loadSpec; invalidArgument where there is no such runtime
/// parameter, something else uses it, too, or select has budgets already.
Result<std::string> makePerHead(const Spec &spec, const std::string &parameter, const std::string &table);

} // namespace tercet::compiler
