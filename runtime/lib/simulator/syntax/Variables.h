// Declarations of variables and parameters: `.global .align 16 .b8 table[256] = {..}`.
#pragma once

#include "syntax/Registers.h"
#include "syntax/Statement.h"

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace tercet::sim {

struct Variable {
  std::string_view name;
  Type type = Type::none;
  uint64_t align = 1;
  uint64_t bytes = 0; ///< 0 for an array of no stated size, whose size the launch decides
  std::vector<uint64_t> values;
  std::optional<uint64_t> count; ///< of `name<count>`, for registers
};

/// Reads what follows the space: alignment, type, name, dimensions, and (with `initial`) the values. Stops before ',' or
/// ';' or ')'. Throws Failure on more than 2^32 bytes.
Variable readVariable(TokenReader &reader, bool initial);

/// Puts a variable behind what is in `image` already and returns its offset.
uint64_t place(const Variable &variable, std::vector<std::byte> &image, TokenReader &reader);

/// The next multiple of `align`, which is a power of two.
inline uint64_t alignUp(uint64_t value, uint64_t align) { return (value + align - 1) & ~(align - 1); }

} // namespace tercet::sim
