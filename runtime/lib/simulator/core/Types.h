// The scalar types of PTX, its state spaces, and the failures that parsing and running report.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tercet::sim {

enum class Type : uint8_t {
  none,
  pred,
  b8,
  u8,
  s8,
  b16,
  u16,
  s16,
  f16,
  bf16,
  b32,
  u32,
  s32,
  f32,
  tf32,
  f16x2,
  bf16x2,
  f32x2,
  b64,
  u64,
  s64,
  f64,
};

/// The type of this name ("u32"); nothing when there is none.
std::optional<Type> typeNamed(std::string_view name);
std::string_view nameOf(Type type);
/// Bytes of a value in memory; 0 for predicates.
uint32_t bytesOf(Type type);

inline bool isSigned(Type type) {
  return type == Type::s8 || type == Type::s16 || type == Type::s32 || type == Type::s64;
}
inline bool isFloat(Type type) {
  switch (type) {
  case Type::f16:
  case Type::bf16:
  case Type::f32:
  case Type::tf32:
  case Type::f16x2:
  case Type::bf16x2:
  case Type::f32x2:
  case Type::f64:
    return true;
  default:
    return false;
  }
}

enum class Space : uint8_t { generic, global, shared, local, param, constant };
std::string_view nameOf(Space space);

/// Generic addresses: each space but global is a window of 2^40 bytes; the window's number is address >> 40. Memory hands
/// out global addresses above all windows. Variables of a module have a window of their own, which counts as global.
namespace window {
constexpr uint64_t size = uint64_t{1} << 40;
constexpr uint64_t shared = 1 * size, local = 2 * size, param = 3 * size, constant = 4 * size, module = 5 * size;
constexpr uint64_t of(uint64_t address) { return address & ~(size - 1); }
} // namespace window

/// Thrown by the parser and by handlers, caught where the library's public functions return a Status.
struct Failure {
  std::string sentence;
};

} // namespace tercet::sim
