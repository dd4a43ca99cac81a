// Operands: the checked tensors and numbers of one call.
#pragma once

#include "TokenBlocks.h"
#include "tercet/dialect/reference/Evaluate.h"

#include <cmath>

namespace tercet::reference {

struct Operands {
  CallSizes sizes;
  Tensor q, k, v;
  Tensor queryLengths, keyLengths, classes; ///< no data: absent
  TokenBlocks queryBlocks, keyBlocks;       ///< of the classification; none without
  const Arguments *arguments = nullptr;

  int64_t lengthQ(int64_t batch) const {
    return queryLengths ? static_cast<int64_t>(queryLengths.get(batch)) : sizes.tokensQ;
  }
  int64_t lengthK(int64_t batch) const {
    return keyLengths ? static_cast<int64_t>(keyLengths.get(batch)) : sizes.tokensK;
  }
  int64_t kvHead(int64_t head) const { return head / (sizes.headsQ / sizes.headsKV); }

  /// The value that the call gives, if any.
  std::optional<double> given(const Number &number) const {
    if (number.isRuntime)
      for (const auto &[name, value] : arguments->parameters)
        if (name == number.parameter)
          return value;
    return {};
  }
  double value(const Number &number) const { return given(number).value_or(number.value); }
  /// A scale: 1/sqrt(head dimension) where the spec says auto and the call says nothing.
  double scale(const Number &number) const {
    double byDefault = number.isAuto ? 1 / std::sqrt(static_cast<double>(sizes.headDim)) : number.value;
    return given(number).value_or(byDefault);
  }
};

/// Checks and binds a call; see checkArguments. `classes` replaces the argument of this name where not null.
Result<Operands> bindOperands(const Program &program, const Arguments &arguments, const Tensor *classes);

} // namespace tercet::reference
