// A small generator (SplitMix64) whose numbers are the same on every machine.
#pragma once

#include <cstdint>

namespace tercet::sim {

class Random {
public:
  explicit Random(uint64_t seed = 0) : state(seed) {}

  uint64_t next() {
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// 0 to limit - 1, for a limit that is not 0.
  uint32_t below(uint32_t limit) { return uint32_t((next() >> 32) * limit >> 32); }

private:
  uint64_t state;
};

} // namespace tercet::sim
