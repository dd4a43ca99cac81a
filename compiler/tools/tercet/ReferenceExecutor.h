// ReferenceExecutor: the fp64 oracle as a target.
#pragma once

#include "Executor.h"

namespace tercet::cli {

/// `spec` is borrowed. Needs no compiler and no cache.
Result<std::unique_ptr<Executor>> makeReferenceExecutor(const LoadedSpec &spec, bool showProgress);

} // namespace tercet::cli
