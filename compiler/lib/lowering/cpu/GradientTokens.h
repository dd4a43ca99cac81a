// GradientTokens: a tensor [B, H, N, D] in the argument block of a kernel of the backward, and which of its heads an item has.
#pragma once

#include "KernelBuilder.h"

namespace tercet::compiler {

/// Tokens of a tensor, and where the gradient of it goes.
struct GradientTokens {
  /// inBuffer: one of the group's, whose heads are numbered in it; strideB is 0.
  GradientTokens(KernelBuilder &k, DType dtype, bool inBuffer = false)
      : tokens(k.pointer(dtype)), strideB(k.integer()), strideH(k.integer()), strideN(k.integer()), inBuffer(inBuffer) {
  }
  Value tokens, strideB, strideH, strideN;
  bool inBuffer;

  /// The rows of a head from `first` on.
  Value rows(KernelBuilder &k, Value batch, Value head, Value first, int64_t cols) const {
    Value offset = k.add(k.add(k.mul(batch, strideB), k.mul(head, strideH)), k.mul(first, strideN));
    return k.view(tokens, offset, cols, strideN);
  }
};

/// Where query head `owner` of a group lies: its pair in the group, its batch, and its head among all of that.
struct QueryHead {
  QueryHead(KernelBuilder &k, Value owner, Value firstPair, Value headsKV, Value headsPerKV)
      : group(k.div(owner, headsPerKV)) {
    Value pair = k.add(firstPair, group);
    batch = k.div(pair, headsKV);
    head = k.add(k.mul(k.rem(pair, headsKV), headsPerKV), k.rem(owner, headsPerKV));
  }
  Value group, batch, head;
};

} // namespace tercet::compiler
