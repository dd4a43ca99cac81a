#include "SimulatedTensorMap.h"

#include "tercet/sim/TensorMap.h"

#include <cstring>

namespace tercet::rt {
namespace {

Result<sim::TensorMap::Element> elementOf(DType dtype) {
  using Element = sim::TensorMap::Element;
  switch (dtype) {
  case DType::f32:
    return Element::f32;
  case DType::f16:
    return Element::f16;
  case DType::bf16:
    return Element::bf16;
  case DType::f64:
    return Element::f64;
  case DType::i32:
    return Element::s32;
  case DType::i8:
    return Element::u8; // copies do not look at the sign
  }
  return Status::make(Code::invalidArgument, "there are no tensor maps of {}", dtypeName(dtype));
}

} // namespace

Result<TensorMapBytes> encodeSimulatedTensorMap(const TensorMapDescription &description) {
  sim::TensorMap map;
  TERCET_TRY(map.element, elementOf(description.dtype));
  map.base = reinterpret_cast<uint64_t>(description.base);
  map.rank = static_cast<uint32_t>(description.rank);
  map.sizes = description.sizes;
  map.strideBytes = description.strideBytes;
  map.box = description.box;
  map.swizzle = static_cast<sim::TensorMap::Swizzle>(description.swizzle); // both count as CUtensorMapSwizzle does
  TERCET_TRY(sim::TensorMap::Encoded encoded, map.encode());
  TensorMapBytes result;
  std::memcpy(result.bytes.data(), encoded.data(), encoded.size());
  return result;
}

} // namespace tercet::rt
