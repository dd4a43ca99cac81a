// The 64-bit descriptor by which wgmma names a matrix in shared memory (PTX ISA, "matrix descriptor").
//
// Bits 0-13 start, 16-29 leading byte offset, 32-45 stride byte offset (all in units of 16 bytes), 49-51 base offset, 62-63
// swizzle (0 none, 1 128 bytes, 2 64 bytes, 3 32 bytes). The matrix is made of 16-byte chunks. With m an index along M or N and
// k one along K:
//   K-major, a chunk holds neighbours in k; c is its number:
//     no swizzle   start + m / 8 * stride + m % 8 * 16 + c * leading
//     swizzle S    start + m / 8 * stride + m % 8 * S + c * 16
//   MN-major (16-bit elements), a chunk holds 8 neighbours in m; c is its number:
//     no swizzle   start + c * stride + k / 8 * leading + k % 8 * 16
//     swizzle S    start + c / (S / 16) * leading + c % (S / 16) * 16 + k / 8 * stride + k % 8 * S
// Then swizzling exchanges chunks within lines of 128 bytes, by address bits 7 and up less the base offset.
#pragma once

#include <cstdint>

namespace tercet::sim {

struct MatrixDescriptor {
  uint32_t start = 0, leading = 0, stride = 0; ///< bytes
  uint32_t baseOffset = 0;
  uint32_t span = 16; ///< bytes of the swizzle: 16 (none), 32, 64, 128

  static MatrixDescriptor decode(uint64_t bits) {
    auto field = [&](int at) { return uint32_t(bits >> at & 0x3fff) << 4; };
    constexpr uint32_t spans[4] = {16, 128, 64, 32};
    return {field(0), field(16), field(32), uint32_t(bits >> 49 & 7), spans[bits >> 62]};
  }

  /// Whether the first row lies at the start of the swizzle's pattern, which the base offset moves.
  bool beginsPattern() const { return (((start >> 7) - baseOffset) & (span / 16 - 1)) == 0; }

  /// The address of a chunk. K-major: row `line` of M or N, chunk number `chunk` along K.
  uint32_t alongK(uint32_t line, uint32_t chunk) const {
    return place(start + line / 8 * stride + line % 8 * span + chunk * (span == 16 ? leading : 16));
  }
  /// MN-major: row `line` of K, chunk number `chunk` along M or N.
  uint32_t alongMN(uint32_t line, uint32_t chunk) const {
    if (span == 16)
      return start + chunk * stride + line / 8 * leading + line % 8 * 16;
    uint32_t perSpan = span / 16;
    return place(start + chunk / perSpan * leading + chunk % perSpan * 16 + line / 8 * stride + line % 8 * span);
  }

private:
  uint32_t place(uint32_t address) const {
    uint32_t mask = span / 16 - 1;
    return address ^ ((((address >> 7) - baseOffset) & mask) << 4);
  }
};

} // namespace tercet::sim
