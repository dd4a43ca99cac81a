// GradientExecutor: the forward and the backward of a spec on one target, launched one after the other.
#pragma once

#include "Executor.h"

namespace tercet::cli {

/// Both open; `forward` is compiled with Direction::forward, `backward` with Direction::backward. Its launches take calls with
/// `do`, and write outputs of the forward and gradients.
std::unique_ptr<Executor> makeGradientExecutor(std::unique_ptr<Executor> forward, std::unique_ptr<Executor> backward);

} // namespace tercet::cli
