// CallShape: a call as shapes alone, for commands that ask what would happen: no tensor is made.
#pragma once

#include "CallData.h"

namespace tercet::cli {

/// Views of q, k, v, the weights and the outputs o (and lse) of this shape. Their data pointers are not null, so that
/// they count as present, but must not be read or written.
Result<CallData> describeCall(const LoadedSpec &spec, const reference::Shape &shape, DType dtype);

/// Such a view.
Tensor describeTensor(DType dtype, const std::vector<int64_t> &shape);

} // namespace tercet::cli
