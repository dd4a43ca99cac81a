// A loop over the elements of a tensor of any rank.
#pragma once

#include "tercet/Tensor.h"

#include <cstddef>

namespace tercet::reference {

/// Calls body(index, i0, i1, i2, i3) for every element, index in row-major order; axes that the tensor lacks have the index 0.
template <typename Body> void forEachElement(const Tensor &tensor, Body body) {
  size_t index = 0;
  for (int64_t i0 = 0; i0 < tensor.shape[0]; ++i0)
    for (int64_t i1 = 0; i1 < tensor.shape[1]; ++i1)
      for (int64_t i2 = 0; i2 < tensor.shape[2]; ++i2)
        for (int64_t i3 = 0; i3 < tensor.shape[3]; ++i3)
          body(index++, i0, i1, i2, i3);
}

} // namespace tercet::reference
