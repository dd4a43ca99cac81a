// Registers that asynchronous products hold, and what other instructions do to them meanwhile (wgmma).
//
// An accumulator may not be touched between a product's issue and its wait, nor an operand be written. What ordinary
// instructions touched since the last fence may not enter a product: that is what wgmma.fence orders.
#pragma once

#include "core/Program.h"

#include <cstdint>
#include <vector>

namespace tercet::sim {

class RegisterWatch {
public:
  enum Flag : uint8_t {
    accumulator = 1, ///< of a product in flight
    operand = 2,     ///< of a product in flight
    written = 4,     ///< by an ordinary instruction, since the last fence
    read = 8,
  };

  void start(uint32_t words) { flags.assign(words / 32, 0); }

  /// An instruction is about to execute.
  void see(Warp &warp, const Instruction &in, Mask mask) {
    if (in.unwatched)
      return;
    for (uint32_t i = 0; i < in.fromCount; ++i)
      if (i >= 16 || !(in.predicatesFrom >> i & 1)) {
        uint8_t &flag = flags[in.from[i] / 32];
        if (flag & accumulator)
          fail(warp, in, mask, in.from[i], "reads an accumulator of a matrix product");
        flag |= read;
      }
    for (uint32_t i = 0; i < in.toCount; ++i)
      if (i >= 16 || !(in.predicatesTo >> i & 1)) {
        uint8_t &flag = flags[in.to[i] / 32];
        if (flag & (accumulator | operand))
          fail(warp, in, mask, in.to[i],
               flag & operand ? "writes an operand of a matrix product" : "writes an accumulator of a matrix product");
        flag |= written;
      }
  }
  uint8_t at(uint32_t slot) const { return flags[slot / 32]; }
  void hold(uint32_t slot, Flag flag) { flags[slot / 32] |= flag; }
  void fence() {
    for (uint8_t &flag : flags)
      flag &= accumulator | operand;
  }
  /// Forgets what is held; the caller holds again what products still in flight need.
  void letGo() {
    for (uint8_t &flag : flags)
      flag &= written | read;
  }

  /// Whoever holds registers says here which instruction holds one.
  uint32_t (*holder)(Warp &warp, uint32_t slot) = nullptr;

private:
  [[noreturn]] void fail(Warp &warp, const Instruction &in, Mask mask, uint32_t slot, const char *what);

  std::vector<uint8_t> flags; ///< by register
};

} // namespace tercet::sim
