// GradientOutputs: the checked gradients among the tensors that a target gave or is to write.
#pragma once

#include "tercet/dialect/reference/Gradients.h"

#include <utility>

namespace tercet::reference {

using NamedGradients = std::vector<std::pair<std::string, Tensor>>;

/// Those of `outputs` whose names are those of gradients of the program; errors as runGradients.
Result<NamedGradients> bindGradients(const Program &program, const CallSizes &sizes, const Arguments &arguments,
                                     const Arguments &outputs);

} // namespace tercet::reference
