// FitKnob: what of a spec `fit` gives every head a value of its own: one runtime parameter, and the row of values that it tries,
// from least to most exact.
#pragma once

#include "SpecSource.h"

#include "tercet/dialect/reference/Evaluate.h"

namespace tercet::cli {

struct FitKnob {
  /// How a level becomes a value.
  enum class Scale {
    fraction, ///< level / last: as many of the last key blocks
    count,    ///< level
    mass,     ///< 1 - (1 - level / last)^2: finer where little is missing
    tokens,   ///< level * tokenStep
  };
  static constexpr int64_t tokenStep = 64, massLevels = 64;

  std::string parameter; ///< of the spec
  Scale scale = Scale::fraction;
  int64_t last = 1;

  /// The argument that replaces the parameter: "keep_per_head".
  std::string table() const { return parameter + "_per_head"; }
  DType dtype() const { return scale == Scale::tokens ? DType::i32 : DType::f32; }
  double value(int64_t level) const;
};

/// The parameter of keep, where the spec selects by a fraction, a count or a mass in each head apart; else a runtime i64
/// parameter `window`, which counts tokens. invalidArgument where there is neither.
Result<FitKnob> findKnob(const LoadedSpec &spec, const reference::CallSizes &sizes);

} // namespace tercet::cli
