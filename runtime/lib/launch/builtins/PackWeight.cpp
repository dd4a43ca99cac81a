// pack_weight: the projection's weight, transposed and padded, and its bias, as f32. Contract: Builtins.h.
#include "BuiltinTable.h"
#include "Elements.h"

#include "tercet/Builtins.h"

namespace tercet::rt {
namespace {

void packMatrix(const PackWeightSlots &s) {
  withElement(static_cast<DType>(s.wDtype), [&](auto element) {
    using Element = decltype(element);
    const auto *w = static_cast<const typename Element::Type *>(s.w);
    for (int64_t c = 0; c < s.valueDim; ++c)
      for (int64_t e = 0; e < s.valueDimPadded; ++e)
        s.packedW[c * s.valueDimPadded + e] = e < s.valueDim ? Element::toFloat(w[e * s.wStride0 + c * s.wStride1]) : 0;
  });
}

void packBias(const PackWeightSlots &s) {
  if (!s.packedB)
    return;
  for (int64_t e = 0; e < s.valueDimPadded; ++e)
    s.packedB[e] = 0;
  if (s.b)
    withElement(static_cast<DType>(s.bDtype), [&](auto element) {
      using Element = decltype(element);
      for (int64_t e = 0; e < s.valueDim; ++e)
        s.packedB[e] = Element::toFloat(static_cast<const typename Element::Type *>(s.b)[e * s.bStride]);
    });
}

void run(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const PackWeightSlots *>(call.slots);
  if (s.w && s.packedW)
    packMatrix(s);
  if (s.packedB)
    packBias(s);
}

} // namespace

const Builtin packWeightBuiltin = {"pack_weight", sizeof(PackWeightSlots) / 8, 0, run, nullptr, nullptr};

} // namespace tercet::rt
