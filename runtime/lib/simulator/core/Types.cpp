// Names and sizes of types and spaces.
#include "core/Types.h"

#include <array>

namespace tercet::sim {

namespace {
struct TypeRow {
  std::string_view name;
  Type type;
  uint32_t bytes;
};
constexpr std::array rows{
    TypeRow{"none", Type::none, 0},   TypeRow{"pred", Type::pred, 0},     TypeRow{"b8", Type::b8, 1},
    TypeRow{"u8", Type::u8, 1},       TypeRow{"s8", Type::s8, 1},         TypeRow{"b16", Type::b16, 2},
    TypeRow{"u16", Type::u16, 2},     TypeRow{"s16", Type::s16, 2},       TypeRow{"f16", Type::f16, 2},
    TypeRow{"bf16", Type::bf16, 2},   TypeRow{"b32", Type::b32, 4},       TypeRow{"u32", Type::u32, 4},
    TypeRow{"s32", Type::s32, 4},     TypeRow{"f32", Type::f32, 4},       TypeRow{"tf32", Type::tf32, 4},
    TypeRow{"f16x2", Type::f16x2, 4}, TypeRow{"bf16x2", Type::bf16x2, 4}, TypeRow{"f32x2", Type::f32x2, 8},
    TypeRow{"b64", Type::b64, 8},     TypeRow{"u64", Type::u64, 8},       TypeRow{"s64", Type::s64, 8},
    TypeRow{"f64", Type::f64, 8},
};
} // namespace

std::optional<Type> typeNamed(std::string_view name) {
  for (const TypeRow &row : rows)
    if (row.name == name && row.type != Type::none)
      return row.type;
  return std::nullopt;
}

std::string_view nameOf(Type type) { return rows[size_t(type)].name; }
uint32_t bytesOf(Type type) { return rows[size_t(type)].bytes; }

std::string_view nameOf(Space space) {
  constexpr std::string_view names[] = {"generic", "global", "shared", "local", "param", "const"};
  return names[size_t(space)];
}

} // namespace tercet::sim
