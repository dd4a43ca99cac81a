// RegionDerivative: the derivative of a region with respect to one of its values, as a region. Forward mode: next to every value
// that depends on that one stands its tangent, made by the rule of its op, in the ops that regions are made of; so whatever
// evaluates regions evaluates derivatives.
#pragma once

#include "tercet/Status.h"

#include "mlir/IR/Region.h"

#include <memory>

namespace tercet::compiler {

/// A region of the same arguments that yields d result / d `by`, an argument or the result of one of its ops. Steps (floor, ceil, casts to integers, comparisons) have the
/// derivative 0; where two branches meet, it is that of the branch that is taken. invalidSpec for an op that has no rule: which
/// and where. It uses values around `region`, and must not outlive these.
Result<std::unique_ptr<mlir::Region>> derivativeOf(mlir::Region &region, mlir::Value by);

/// Where an op of a region stands in the spec's text, for messages.
std::string placeOf(mlir::Operation *op);

} // namespace tercet::compiler
