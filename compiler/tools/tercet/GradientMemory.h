// GradientMemory: what lies between a forward and its backward, and what the backward makes again instead; for
// `explain --grad`.
#pragma once

#include "Executor.h"

#include "tercet/dialect/reference/BlockCounts.h"

namespace tercet::cli {

/// Inputs and outputs of both directions as shapes alone, as describeCall: views that must not be read or written.
struct DescribedGradient {
  Arguments forward, backward;
};
DescribedGradient describeGradient(const CallData &call, const PlanSignature &forward, const PlanSignature &backward);

/// `saved` and `recomputed`. blocks: what the call's classes come to; without classification unused.
Json gradientMemoryJson(const LoadedSpec &spec, const CallData &call, const Executor &executor,
                        const reference::BlockCounts &blocks);

/// That as lines of text.
std::string gradientMemoryText(const Json &object);

} // namespace tercet::cli
