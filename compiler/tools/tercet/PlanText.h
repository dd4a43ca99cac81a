// PlanText: what a plan comes to at a shape, as lines of text and as JSON.
#pragma once

#include "CallData.h"

#include "tercet/rt/PlanEstimate.h"

namespace tercet::cli {

/// Passes, and a line per node.
std::string planText(const rt::PlanEstimate &estimate);
/// The title of a direction: its operations by stage, in the plan's order, and its workspace.
std::string directionText(const char *name, const rt::PlanEstimate &estimate);
/// The workspace by buffers, beside the bytes of the call's K.
std::string memoryText(const rt::PlanEstimate &estimate, const CallData &call);
Json estimateJson(const rt::PlanEstimate &estimate);

} // namespace tercet::cli
