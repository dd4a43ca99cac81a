// One loop per C++ type; f16 and bf16 go through double, where their sums are exact.
#include "families/Combine.h"

#include "core/Numbers.h"

#include <algorithm>
#include <cstring>

namespace tercet::sim {

namespace {

template <typename T> T integers(Combination combination, T old, T given) {
  using U = std::make_unsigned_t<T>;
  switch (combination) {
  case Combination::add:
    return T(U(old) + U(given));
  case Combination::least:
    return std::min(old, given);
  case Combination::greatest:
    return std::max(old, given);
  case Combination::increment:
    return old >= given ? T(0) : T(U(old) + 1);
  case Combination::decrement:
    return old == 0 || old > given ? given : T(U(old) - 1);
  case Combination::conjunction:
    return old & given;
  case Combination::disjunction:
    return old | given;
  case Combination::exclusive:
    return old ^ given;
  case Combination::none:
    break;
  }
  return given;
}

template <typename T, typename F> void forElements(std::byte *target, const std::byte *source, uint64_t bytes, F f) {
  for (uint64_t at = 0; at + sizeof(T) <= bytes; at += sizeof(T)) {
    T old, given;
    std::memcpy(&old, target + at, sizeof(T));
    std::memcpy(&given, source + at, sizeof(T));
    T result = f(old, given);
    std::memcpy(target + at, &result, sizeof(T));
  }
}

uint16_t narrowFloats(Combination combination, Format format, uint16_t old, uint16_t given) {
  double x = widen(old, format), y = widen(given, format);
  if (combination == Combination::add)
    return uint16_t(narrow(oddSum(x, y), format, Rounding::nearestEven));
  if (x != x || y != y)
    return x != x ? given : old; // the number wins over NaN
  return (combination == Combination::least) == (y < x) ? given : old;
}

} // namespace

Combination takeCombination(Decoding &d) {
  return d.takeNeeded<Combination>({{"add", Combination::add},
                                    {"min", Combination::least},
                                    {"max", Combination::greatest},
                                    {"inc", Combination::increment},
                                    {"dec", Combination::decrement},
                                    {"and", Combination::conjunction},
                                    {"or", Combination::disjunction},
                                    {"xor", Combination::exclusive}},
                                   "operation");
}

bool combines(Combination combination, Type type) {
  switch (combination) {
  case Combination::none:
    return true;
  case Combination::add:
    return bytesOf(type) >= 2;
  case Combination::least:
  case Combination::greatest:
    return bytesOf(type) >= 2 && type != Type::f32 && type != Type::f64;
  case Combination::increment:
  case Combination::decrement:
    return type == Type::u32;
  default:
    return !isFloat(type) && bytesOf(type) >= 4;
  }
}

void combine(Combination combination, Type type, std::byte *target, const std::byte *source, uint64_t bytes) {
  if (combination == Combination::none) {
    std::memcpy(target, source, bytes);
    return;
  }
  switch (type) {
  case Type::s32:
    return forElements<int32_t>(target, source, bytes, [=](auto a, auto b) { return integers(combination, a, b); });
  case Type::s64:
    return forElements<int64_t>(target, source, bytes, [=](auto a, auto b) { return integers(combination, a, b); });
  case Type::u64:
  case Type::b64:
    return forElements<uint64_t>(target, source, bytes, [=](auto a, auto b) { return integers(combination, a, b); });
  case Type::f32:
    return forElements<uint32_t>(target, source, bytes,
                                 [](uint32_t a, uint32_t b) { return floatBits(asFloat(a) + asFloat(b)); });
  case Type::f64:
    return forElements<uint64_t>(target, source, bytes,
                                 [](uint64_t a, uint64_t b) { return doubleBits(asDouble(a) + asDouble(b)); });
  case Type::f16:
  case Type::bf16: {
    Format format = type == Type::f16 ? halfFormat : bfloatFormat;
    return forElements<uint16_t>(target, source, bytes,
                                 [=](uint16_t a, uint16_t b) { return narrowFloats(combination, format, a, b); });
  }
  default:
    return forElements<uint32_t>(target, source, bytes, [=](auto a, auto b) { return integers(combination, a, b); });
  }
}

} // namespace tercet::sim
