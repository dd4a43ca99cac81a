// Settings (`--set name=value`) become the values of a spec's parameters.
#pragma once

#include "tercet/Status.h"
#include "tercet/dialect/TercetDialect.h"

#include <map>
#include <string>

namespace tercet::compiler {

/// Replaces the values of the named parameters; invalidSpec names an unknown parameter with the nearest known one, or a
/// value that is not of the parameter's kind. Ranges are the verifiers' business.
Status bindSettings(ir::SpecOp spec, const std::map<std::string, std::string> &settings);

} // namespace tercet::compiler
