// SavedOutputs: what of a forward goes into its backward (docs/gradients.md#kernels).
#pragma once

#include "tercet/Plan.h"

namespace tercet {

/// The output of the forward that the backward takes as `input`, one of its arguments; null: what the caller has anyway.
const PlanArgument *savedOutput(const PlanSignature &forward, const PlanArgument &input);

} // namespace tercet
