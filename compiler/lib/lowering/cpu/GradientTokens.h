// GradientTokens: a tensor [B, H, N, D] in the argument block of a kernel of the backward.
#pragma once

#include "KernelBuilder.h"

namespace tercet::compiler {

/// Tokens of a tensor, and where the gradient of it goes.
struct GradientTokens {
  GradientTokens(KernelBuilder &k, DType dtype)
      : tokens(k.pointer(dtype)), strideB(k.integer()), strideH(k.integer()), strideN(k.integer()) {}
  Value tokens, strideB, strideH, strideN;

  /// The rows of a head from `first` on.
  Value rows(KernelBuilder &k, Value batch, Value head, Value first, int64_t cols) const {
    Value offset = k.add(k.add(k.mul(batch, strideB), k.mul(head, strideH)), k.mul(first, strideN));
    return k.view(tokens, offset, cols, strideN);
  }
};

} // namespace tercet::compiler
