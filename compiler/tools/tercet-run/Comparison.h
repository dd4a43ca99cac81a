// Comparison: outputs beside the oracle's expected rows, by the bounds that the numerics contract gave them.
#pragma once

#include "CaseFile.h"

#include <map>
#include <optional>

namespace tercet::run {

struct OutputErrors {
  double relativeL2 = 0, max = 0, mean = 0;
  int64_t nonFinite = 0; ///< elements that are finite on one side only
  Bounds bounds;
  bool passed() const {
    return nonFinite == 0 && relativeL2 <= bounds.relativeL2 && max <= bounds.max && mean <= bounds.mean;
  }
};

struct CaseErrors {
  OutputErrors o;
  std::optional<OutputErrors> lse;
  int64_t rows = 0;          ///< compared
  int64_t rowsElsewhere = 0; ///< left out: their block's classes differ from the oracle's
  int64_t classRows = 0, classRowsDiffering = 0;
  bool classesPassed = true;
  bool passed() const { return o.passed() && (!lse || lse->passed()) && classesPassed; }
};

/// expected: the tensors of the case's file. got: o and, where the case has them, lse and classes. Rows of query blocks
/// whose classes differ are left out: scores that fp32 cannot tell apart may fall either way; more than one such row of
/// blocks in two hundred (and more than one) is a failure.
CaseErrors compareOutputs(const CaseEntry &entry, int64_t blockQ, const std::map<std::string, Tensor> &expected,
                          const std::map<std::string, Tensor> &got);

} // namespace tercet::run
