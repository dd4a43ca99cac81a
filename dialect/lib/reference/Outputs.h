// Outputs: the checked output tensors of one call.
#pragma once

#include "tercet/dialect/reference/Evaluate.h"

namespace tercet::reference {

/// Views of `o`, `lse` and `classes`; no data: not asked for.
struct Outputs {
  Tensor o, lse, classes;
};

/// invalidArgument for a tensor of another shape or dtype, an lse that the spec does not have, classes without
/// classification, or no output at all.
Result<Outputs> bindOutputs(const Program &program, const CallSizes &sizes, const Arguments &outputs);

} // namespace tercet::reference
