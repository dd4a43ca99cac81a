// CallSizes: what a call of an artifact counts, in tokens, heads and blocks.
#pragma once

#include "tercet/Session.h"

namespace tercet::run {

/// Of a call with these tensors [batch, heads, tokens, head dimension] and parameters.
TableSizes sizesOf(const PlanSignature &signature, const Tensor &q, const Tensor &k, const Tensor &v,
                   const std::vector<std::pair<std::string, double>> &parameters);

} // namespace tercet::run
