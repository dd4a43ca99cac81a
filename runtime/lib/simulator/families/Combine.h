// What bulk reductions do with the elements of their target: add, min, max, inc, dec, and, or, xor.
#pragma once

#include "core/Types.h"
#include "syntax/Decoding.h"

#include <cstddef>
#include <cstdint>

namespace tercet::sim {

enum class Combination : uint8_t {
  none,
  add,
  least,
  greatest,
  increment,
  decrement,
  conjunction,
  disjunction,
  exclusive
};

/// Takes the operation's name, which must be there.
Combination takeCombination(Decoding &d);
/// Whether the operation exists for elements of this type.
bool combines(Combination combination, Type type);
/// target = target op source, for `bytes` bytes of elements; sums of floats are rounded to the type once each.
void combine(Combination combination, Type type, std::byte *target, const std::byte *source, uint64_t bytes);

} // namespace tercet::sim
