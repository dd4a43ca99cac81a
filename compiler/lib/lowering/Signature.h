// Signature: what a caller sees of a compiled spec, the same for every target: arguments, runtime parameters with their
// legal ranges, classification blocks.
#pragma once

#include "tercet/Plan.h"
#include "tercet/Session.h"
#include "tercet/dialect/TercetDialect.h"

namespace tercet::compiler {

/// Arguments are q, k, v, then the spec's weights and tables in its order, then what every spec accepts, then outputs; of
/// a backward what the forward saved before its outputs.
PlanSignature signatureOf(ir::SpecOp spec, const Problem &problem);

} // namespace tercet::compiler
