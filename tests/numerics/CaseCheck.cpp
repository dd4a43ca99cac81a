#include "CaseCheck.h"

#include <catch2/catch.hpp>

namespace tercet::test {

/// Whether the bytes of `tensor`'s memory that no element covers are as they were.
static bool paddingUntouched(const reference::OwnedTensor &owned) {
  const Tensor &tensor = owned.view();
  std::vector<bool> covered(owned.bytes(), false);
  for (int64_t i0 = 0; i0 < tensor.shape[0]; ++i0)
    for (int64_t i1 = 0; i1 < tensor.shape[1]; ++i1)
      for (int64_t i2 = 0; i2 < tensor.shape[2]; ++i2)
        for (int64_t i3 = 0; i3 < tensor.shape[3]; ++i3) {
          int64_t element =
              i0 * tensor.strides[0] + i1 * tensor.strides[1] + i2 * tensor.strides[2] + i3 * tensor.strides[3];
          for (size_t byte = 0; byte < dtypeSize(tensor.dtype); ++byte)
            covered[element * dtypeSize(tensor.dtype) + byte] = true;
        }
  const auto *bytes = static_cast<const unsigned char *>(tensor.data);
  for (size_t index = 0; index < covered.size(); ++index)
    if (!covered[index] && bytes[index] != reference::unwrittenByte(tensor.dtype))
      return false;
  return true;
}

void checkCase(Backend &backend, const Case &entry) {
  INFO(backend.name() << ": " << entry.describe());
  PreparedCase prepared = prepare(entry);
  Status status = backend.run(prepared.spec, prepared.problem, prepared.arguments, prepared.outputs.arguments());
  INFO(status.message());
  CHECK(status.ok());
  if (!status.ok())
    return;
  for (const auto &[name, tensor] : prepared.outputs.tensors) {
    INFO("output " << name << " is written beyond its elements");
    CHECK(paddingUntouched(tensor));
  }
  CHECK(findFault(prepared, entry) == "");
}

} // namespace tercet::test
