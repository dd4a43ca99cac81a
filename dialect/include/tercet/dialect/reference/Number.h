// Number: a parameter of a spec as the oracle sees it.
#pragma once

#include <string>

namespace tercet::reference {

/// A number that the spec writes as a parameter (or leaves out: then `parameter` is empty and `value` its default).
struct Number {
  std::string parameter; ///< a value in Arguments::parameters under this name overrides `value` if `isRuntime`
  double value = 0;
  bool isAuto = false; ///< the op decides: 1/sqrt(head dimension) for a scale
  bool isRuntime = false;
};

} // namespace tercet::reference
