// The encoding: a magic number, then the fields in order.
#include "tercet/sim/TensorMap.h"

#include <cstring>

namespace tercet::sim {

namespace {

constexpr uint64_t magic = 0x70616d5f746d6974; // "timt_map"
constexpr uint64_t mostStride = uint64_t{1} << 40, mostSize = uint64_t{1} << 32;

// Every field has its place; no padding, so that equal maps have equal bytes.
struct Layout {
  uint64_t magic;
  uint64_t base;
  uint64_t strideBytes[4];
  uint64_t sizes[5];
  uint16_t box[5];
  uint8_t elementStrides[5];
  uint8_t element, rank, swizzle, fillWithNan;
  uint8_t unused[13];
};
static_assert(sizeof(Layout) == 120 && sizeof(Layout) <= TensorMap::encodedBytes);

constexpr uint32_t spanOf(TensorMap::Swizzle swizzle) { return 16u << uint32_t(swizzle); }

Status checkAxis(const TensorMap &map, uint32_t axis) {
  auto refuse = [&](std::string_view what, uint64_t given, std::string_view legal) {
    return Status::make(Code::invalidArgument, "tensor map: {} of axis {} is {}; legal is {}", what, axis, given,
                        legal);
  };
  if (map.sizes[axis] < 1 || map.sizes[axis] > mostSize)
    return refuse("the size", map.sizes[axis], "1 to 2^32");
  if (map.box[axis] < 1 || map.box[axis] > 256)
    return refuse("the box", map.box[axis], "1 to 256");
  if (map.elementStrides[axis] < 1 || map.elementStrides[axis] > 8)
    return refuse("the element stride", map.elementStrides[axis], "1 to 8");
  if (axis > 0 && (map.strideBytes[axis - 1] % 16 || map.strideBytes[axis - 1] >= mostStride))
    return refuse("the stride", map.strideBytes[axis - 1], "a multiple of 16 bytes below 2^40");
  return {};
}

} // namespace

uint32_t TensorMap::elementBytes() const {
  switch (element) {
  case Element::u8:
    return 1;
  case Element::u16:
  case Element::f16:
  case Element::bf16:
    return 2;
  case Element::u64:
  case Element::s64:
  case Element::f64:
    return 8;
  default:
    return 4;
  }
}

uint64_t TensorMap::boxBytes() const {
  uint64_t bytes = elementBytes();
  for (uint32_t axis = 0; axis < rank; ++axis)
    bytes *= extent(axis);
  return bytes;
}

Result<TensorMap::Encoded> TensorMap::encode() const {
  if (rank < 1 || rank > 5)
    return Status::make(Code::invalidArgument, "tensor map: rank {}; legal is 1 to 5", rank);
  if (base % 16)
    return Status::make(Code::invalidArgument, "tensor map: the base {:#x} is not a multiple of 16", base);
  for (uint32_t axis = 0; axis < rank; ++axis)
    TERCET_RETURN_IF_ERROR(checkAxis(*this, axis));
  uint64_t inner = uint64_t{box[0]} * elementBytes();
  if (inner % 16)
    return Status::make(Code::invalidArgument, "tensor map: a row of the box has {} bytes; legal is a multiple of 16",
                        inner);
  // A driver takes shorter rows too; how they lie in shared memory then is not known here.
  if (swizzle != Swizzle::none && inner != spanOf(swizzle))
    return Status::make(Code::invalidArgument, "tensor map: a row of the box has {} bytes; this swizzle takes {}",
                        inner, spanOf(swizzle));
  Layout layout{};
  layout.magic = magic;
  layout.base = base;
  for (uint32_t axis = 0; axis < rank; ++axis) {
    layout.sizes[axis] = sizes[axis];
    layout.box[axis] = uint16_t(box[axis]);
    layout.elementStrides[axis] = uint8_t(elementStrides[axis]);
    if (axis > 0)
      layout.strideBytes[axis - 1] = strideBytes[axis - 1];
  }
  layout.element = uint8_t(element);
  layout.rank = uint8_t(rank);
  layout.swizzle = uint8_t(swizzle);
  layout.fillWithNan = fillWithNan;
  Encoded encoded{};
  std::memcpy(encoded.data(), &layout, sizeof layout);
  return encoded;
}

Result<TensorMap> TensorMap::decode(std::span<const std::byte> bytes) {
  Layout layout{};
  if (bytes.size() == encodedBytes)
    std::memcpy(&layout, bytes.data(), sizeof layout);
  if (layout.magic != magic)
    return Status::make(Code::invalidArgument, "these bytes are not a tensor map of the simulator");
  TensorMap map;
  map.base = layout.base;
  map.element = Element(layout.element);
  map.rank = layout.rank;
  map.swizzle = Swizzle(layout.swizzle);
  map.fillWithNan = layout.fillWithNan;
  for (uint32_t axis = 0; axis < map.rank && axis < 5; ++axis) {
    map.sizes[axis] = layout.sizes[axis];
    map.box[axis] = layout.box[axis];
    map.elementStrides[axis] = layout.elementStrides[axis];
    if (axis > 0)
      map.strideBytes[axis - 1] = layout.strideBytes[axis - 1];
  }
  return map;
}

} // namespace tercet::sim
