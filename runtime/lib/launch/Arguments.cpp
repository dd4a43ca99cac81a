// Arguments: look-up by name.
#include "tercet/Session.h"

namespace tercet {

const Tensor *Arguments::find(std::string_view name) const {
  for (const auto &[tensorName, tensor] : tensors)
    if (tensorName == name)
      return &tensor;
  return nullptr;
}

} // namespace tercet
