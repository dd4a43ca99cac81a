// ClassBytes: eight class bytes at once. +1 is 0x01, 0 is 0x00, -1 is 0xff, so the lowest and highest bit of a byte
// tell the three apart.
#pragma once

#include <cstdint>
#include <cstring>

namespace tercet::rt {

inline constexpr uint64_t lowBits = 0x0101010101010101u;

inline uint64_t loadClasses(const int8_t *classes) {
  uint64_t word;
  std::memcpy(&word, classes, sizeof(word));
  return word;
}
/// The lowest bit of each byte that is +1.
inline uint64_t criticalBytes(uint64_t word) { return word & ~(word >> 7) & lowBits; }
/// The lowest bit of each byte that is 0.
inline uint64_t marginalBytes(uint64_t word) { return ~word & lowBits; }

} // namespace tercet::rt
