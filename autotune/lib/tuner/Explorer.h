// Explorer: in which order candidates are tried where a budget does not reach all of them.
#pragma once

#include "tercet/autotune/Candidate.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace tercet::tune {

/// First those named, then by turns the untried candidate that the model ranks best, and the one that differs in the fewest knobs from the best so
/// far (first one knob at a time, then pairs), the model deciding among equals. So neither a wrong model nor a
/// local best ends the search.
class Explorer {
public:
  Explorer(const Space &space, std::vector<size_t> first);
  /// Marks it as tried. Absent: all are.
  std::optional<size_t> next(size_t best);

private:
  int64_t distance(size_t a, size_t b) const;

  std::vector<size_t> first; ///< the next one last
  std::vector<double> predicted;
  std::vector<std::vector<int>> values; ///< per candidate and knob, numbers for texts
  std::vector<bool> tried;
  bool isModelsTurn = true;
};

} // namespace tercet::tune
