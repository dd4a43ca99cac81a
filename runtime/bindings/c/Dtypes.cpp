#include "Options.h"

namespace tercet::c {
namespace {

struct Known {
  DType dtype;
  uint8_t code, bits;
};
constexpr Known known[] = {
    {DType::f32, kDLFloat, 32}, {DType::f16, kDLFloat, 16}, {DType::bf16, kDLBfloat, 16},
    {DType::f64, kDLFloat, 64}, {DType::i32, kDLInt, 32},   {DType::i8, kDLInt, 8},
};

} // namespace

std::optional<DType> dtypeFrom(DLDataType dtype) {
  for (const Known &each : known)
    if (each.code == dtype.code && each.bits == dtype.bits && dtype.lanes == 1)
      return each.dtype;
  return {};
}

DLDataType dtypeTo(DType dtype) {
  for (const Known &each : known)
    if (each.dtype == dtype)
      return {each.code, each.bits, 1};
  return {};
}

std::string dtypeText(DLDataType dtype) {
  const char *kinds[] = {"int", "uint", "float", "handle", "bfloat", "complex", "bool"};
  std::string kind = dtype.code < std::size(kinds) ? kinds[dtype.code] : fmt::format("type {} of bits ", dtype.code);
  return fmt::format("{}{}{}", kind, dtype.bits, dtype.lanes == 1 ? "" : fmt::format(" x {}", dtype.lanes));
}

} // namespace tercet::c
