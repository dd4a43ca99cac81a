// SymbolSources: where the value of each of a plan's symbols comes from, looked up by name once, not in every launch.
#pragma once

#include "ArgumentBinding.h"

namespace tercet::rt {

struct SymbolSource {
  enum class Kind : uint8_t { size, present, dtype, stride, extent, parameter };
  Kind kind = Kind::size;
  uint8_t axis = 0; ///< of a stride or extent; of a size, its place in sizesOf
  int index = 0;    ///< of the tensor or parameter
  int symbol = 0;
};

/// One per symbol that arguments decide; loops and counts bind the others.
std::vector<SymbolSource> symbolSources(const Plan &plan, const SymbolNames &symbols);

/// Writes the values of one call.
void bindSymbols(const std::vector<SymbolSource> &sources, const BoundArguments &bound, int threads,
                 std::vector<int64_t> &symbols);

} // namespace tercet::rt
