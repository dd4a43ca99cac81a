// phi, row by row: the feature map of the linear branch on a 1 x featureDim tile.
#pragma once

#include "KernelBuilder.h"
#include "Program.h"

namespace tercet::compiler {

/// phi of row `row` of `tokens` (headDim columns, any dtype); columns from headDim on become 0.
Value buildFeatureRow(KernelBuilder &k, const Program &program, int64_t featureDim, Value tokens, Value row);

/// J_phi^T gradient at that row, whose phi is `features`: 1 x featureDim.
Value buildFeatureGradient(KernelBuilder &k, const Program &program, int64_t featureDim, Value tokens, Value row,
                           Value features, Value gradient);

} // namespace tercet::compiler
