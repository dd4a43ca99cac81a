// RegionDerivative: the derivative of a score region with respect to its score, as a region. Forward mode: next to every value
// that depends on the score stands its tangent, made by the rule of its op, in the ops that regions are made of; so whatever
// evaluates regions evaluates derivatives.
#pragma once

#include "tercet/Status.h"

#include "mlir/IR/Region.h"

#include <memory>

namespace tercet::compiler {

/// A region of the same arguments that yields d result / d score. Steps (floor, ceil, casts to integers, comparisons) have the
/// derivative 0; where two branches meet, it is that of the branch that is taken. invalidSpec for an op that has no rule: which
/// and where. It uses values around `score`, and must not outlive these.
Result<std::unique_ptr<mlir::Region>> derivativeOf(mlir::Region &score);

} // namespace tercet::compiler
