// GraphCheck: whether a captured launch does on replay what a launch does, after data and thresholds have changed.
#pragma once

#include "BoundKernel.h"

namespace tercet::run {

struct GraphVerdict {
  bool ran = false;              ///< false on the CPU
  bool sameData = false;         ///< replay gives the bits of a launch
  bool changedData = false;      ///< .. also after v was doubled in place
  bool changedParameters = true; ///< .. also a graph captured with other parameters; true where there are none
  bool parametersMatter = false; ///< whether those other parameters change o at all: of a single block they cannot
  bool passed() const { return !ran || (sameData && changedData && changedParameters); }
};

/// v and o are host tensors that `kernel` is bound to; v's values are changed and restored.
Result<GraphVerdict> checkGraphs(BoundKernel &kernel, const Tensor &v, const Tensor &o,
                                 const std::vector<std::pair<std::string, double>> &otherParameters);

} // namespace tercet::run
