// HeadErrors: how far an output lies from the exact one, head by head: |O - O_exact| / |O_exact| in the Euclidean norm.
#pragma once

#include "tercet/Tensor.h"

#include <vector>

namespace tercet::tune {

struct HeadErrors {
  std::vector<double> perHead; ///< over all batch entries, rows and features of a query head
  double overall = 0;          ///< over everything; never above the largest of perHead

  double worst() const;
};

/// o and exact: contiguous f32 [batch, heads, rows, features] of one shape. Infinite where a difference is not finite, and where
/// something stands for an exact zero; 0 where both are zero.
HeadErrors headErrors(const Tensor &o, const Tensor &exact);

} // namespace tercet::tune
