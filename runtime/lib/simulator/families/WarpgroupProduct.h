// What wgmma.mma_async computes: shapes and types of one instruction, and the chunks of shared memory it reads.
#pragma once

#include "core/MatrixDescriptor.h"
#include "core/Program.h"

#include <cstdint>

namespace tercet::sim {

enum class ProductElement : uint8_t { bf16, f16, tf32, s8, u8, e4m3, e5m2 };
enum class ProductSum : uint8_t { f32, f16, s32 };

/// All that an mma_async says, packed into Instruction::immediate.
struct ProductForm {
  uint16_t columns = 0; ///< N
  ProductElement a{}, b{};
  ProductSum sum{};
  bool aInRegisters = false;
  bool negateA = false, negateB = false;
  bool aMajor = false, bMajor = false; ///< M-major, N-major

  uint32_t elementBytes() const {
    return a == ProductElement::tf32 ? 4 : a == ProductElement::bf16 || a == ProductElement::f16 ? 2 : 1;
  }
  uint32_t depth() const { return 32 / elementBytes(); }
  uint32_t accumulators() const { return sum == ProductSum::f16 ? columns / 4u : columns / 2u; }

  int64_t pack() const {
    return columns | int64_t(a) << 16 | int64_t(b) << 20 | int64_t(sum) << 24 | int64_t{aInRegisters} << 28 |
           int64_t{negateA} << 29 | int64_t{negateB} << 30 | int64_t{aMajor} << 31 | int64_t{bMajor} << 32;
  }
  static ProductForm of(const Instruction &in) {
    uint64_t bits = uint64_t(in.immediate);
    ProductForm form;
    form.columns = uint16_t(bits);
    form.a = ProductElement(bits >> 16 & 15);
    form.b = ProductElement(bits >> 20 & 15);
    form.sum = ProductSum(bits >> 24 & 15);
    form.aInRegisters = bits >> 28 & 1;
    form.negateA = bits >> 29 & 1;
    form.negateB = bits >> 30 & 1;
    form.aMajor = bits >> 31 & 1;
    form.bMajor = bits >> 32 & 1;
    return form;
  }
};

/// f(address) for every chunk of `lines` rows or columns of M or N, starting at `first`, over the whole depth. Every operand is
/// 32 bytes deep: two chunks along K, or 16 lines of K.
template <typename F>
void forChunks(const MatrixDescriptor &matrix, const ProductForm &form, bool isMajor, uint32_t first, uint32_t lines,
               F &&f) {
  if (!isMajor) {
    for (uint32_t line = first; line < first + lines; ++line) {
      f(matrix.alongK(line, 0));
      f(matrix.alongK(line, 1));
    }
    return;
  }
  for (uint32_t chunk = first / 8; chunk < (first + lines) / 8; ++chunk)
    for (uint32_t k = 0; k < form.depth(); ++k)
      f(matrix.alongMN(k, chunk));
}

struct Product;
/// Adds to the warp's accumulators what the product says.
void computeProduct(Warp &warp, const Product &product);

} // namespace tercet::sim
