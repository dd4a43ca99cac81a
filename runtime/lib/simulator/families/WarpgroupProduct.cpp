// The arithmetic of wgmma.mma_async, for one warp: 16 of the 64 rows.
//
// Warp w of the warpgroup has rows 16 w and on; its registers hold them as mma.sync's do: register i of A has row g + 8 (i % 2),
// elements E t + 4 E (i / 2) and on; accumulator i has row g + 8 (i / 2 % 2), column 8 (i / 4) + 2 t + i % 2, where
// g = lane / 4, t = lane % 4 and E elements fill 4 bytes. Products are exact and are summed in f32 by k, one after another;
// hardware's order and width are its own.
#include "families/WarpgroupProduct.h"

#include "core/Cta.h"
#include "core/Numbers.h"
#include "families/Warpgroup.h"

#include <cstring>

namespace tercet::sim {

namespace {

constexpr int rows = 16, mostDepth = 32, mostColumns = 256;

struct Operands {
  float a[rows][mostDepth];
  alignas(64) float b[mostDepth][mostColumns + 16]; // rows do not share cache sets
  alignas(64) float sum[mostColumns];
};

float valueOf(ProductElement element, uint32_t bits) {
  constexpr Format e4m3{4, 3}, e5m2{5, 2};
  switch (element) {
  case ProductElement::bf16:
    return bfloatToFloat(bits & 0xffff);
  case ProductElement::f16:
    return halfToFloatFast(bits & 0xffff);
  case ProductElement::tf32:
    return asFloat(bits & 0xffffe000);
  case ProductElement::s8:
    return float(int8_t(bits));
  case ProductElement::u8:
    return float(uint8_t(bits));
  case ProductElement::e4m3: // no infinities: all exponents are numbers but for one NaN
    if ((bits & 0x78) == 0x78 && (bits & 0x7f) != 0x7f)
      return float(bits & 0x80 ? -1 : 1) * 256.0f * (1.0f + float(bits & 7) / 8);
    return float(widen(bits & 0xff, e4m3));
  case ProductElement::e5m2:
    return float(widen(bits & 0xff, e5m2));
  }
  return 0;
}

// The elements of a 16-byte chunk.
void readChunk(const std::byte *from, ProductElement element, uint32_t elementBytes, float sign, float *to) {
  if (element == ProductElement::bf16) {
    uint16_t bits[8];
    std::memcpy(bits, from, sizeof bits);
    for (int i = 0; i < 8; ++i)
      to[i] = bfloatToFloat(bits[i]) * sign;
    return;
  }
  for (uint32_t i = 0; i < 16 / elementBytes; ++i) {
    uint32_t bits = 0;
    std::memcpy(&bits, from + i * elementBytes, elementBytes);
    to[i] = valueOf(element, bits) * sign;
  }
}

// put(line of M or N, k, value) for an operand in shared memory.
template <typename Put>
void readMatrix(const std::byte *shared, uint64_t descriptor, const ProductForm &form, ProductElement element,
                bool isMajor, float sign, uint32_t first, uint32_t lines, Put put) {
  MatrixDescriptor matrix = MatrixDescriptor::decode(descriptor);
  uint32_t bytes = form.elementBytes(), perChunk = 16 / bytes;
  float values[16];
  if (!isMajor) {
    for (uint32_t line = 0; line < lines; ++line)
      for (uint32_t chunk = 0; chunk < 2; ++chunk) {
        readChunk(shared + matrix.alongK(first + line, chunk), element, bytes, sign, values);
        for (uint32_t i = 0; i < perChunk; ++i)
          put(line, chunk * perChunk + i, values[i]);
      }
    return;
  }
  for (uint32_t k = 0; k < form.depth(); ++k)
    for (uint32_t chunk = 0; chunk < lines / 8; ++chunk) {
      readChunk(shared + matrix.alongMN(k, first / 8 + chunk), element, bytes, sign, values);
      for (uint32_t i = 0; i < 8; ++i)
        put(8 * chunk + i, k, values[i]);
    }
}

void readA(Warp &warp, const Product &product, const ProductForm &form, Operands &operands) {
  float sign = form.negateA ? -1.0f : 1.0f;
  if (!form.aInRegisters)
    return readMatrix(warp.cta.shared.data(), product.a, form, form.a, form.aMajor, sign, warp.index % 4 * rows, rows,
                      [&](uint32_t row, uint32_t k, float value) { operands.a[row][k] = value; });
  uint32_t bytes = form.elementBytes(), per = 4 / bytes;
  for (uint32_t i = 0; i < 4; ++i) {
    const uint32_t *from = warp.word(product.in->from[i]);
    for (uint32_t lane = 0; lane < uint32_t(warpLanes); ++lane)
      for (uint32_t e = 0; e < per; ++e)
        operands.a[lane / 4 + 8 * (i % 2)][per * (lane % 4) + 4 * per * (i / 2) + e] =
            valueOf(form.a, from[lane] >> (8 * bytes * e)) * sign;
  }
}

// One row: sum = what the accumulators hold, or 0; plus the products. Products of these formats are exact in f32, so that
// fusing them changes no bit.
[[gnu::always_inline]] inline void addProducts(const Operands &operands, int row, uint32_t depth, uint32_t columns,
                                               float *sum) {
  for (uint32_t k = 0; k < depth; ++k) {
    float a = operands.a[row][k];
    const float *b = operands.b[k];
    for (uint32_t n = 0; n < columns; ++n)
      sum[n] += a * b[n];
  }
}
[[gnu::target("avx2,fma")]] void addProductsWide(const Operands &operands, int row, uint32_t depth, uint32_t columns,
                                                 float *sum) {
  addProducts(operands, row, depth, columns, sum);
}

void sumRow(const Operands &operands, int row, uint32_t depth, uint32_t columns, float *sum) {
  static const bool wide = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  wide ? addProductsWide(operands, row, depth, columns, sum) : addProducts(operands, row, depth, columns, sum);
}

// Accumulator i of lanes 4 (row % 8) to + 3: columns 8 (i / 4) + 2 t + i % 2 of this row, for i / 2 % 2 = row / 8.
void finishRow(Warp &warp, const Product &product, const ProductForm &form, Operands &operands, int row) {
  uint32_t columns = form.columns, lane0 = uint32_t(row % 8) * 4, half = uint32_t(row / 8);
  const uint32_t *to = product.in->to;
  float *sum = operands.sum;
  bool isInteger = form.sum == ProductSum::s32, isHalf = form.sum == ProductSum::f16;
  auto place = [&](uint32_t n) -> uint32_t & {
    uint32_t i = isHalf ? n / 8 * 2 + half : n / 8 * 4 + 2 * half + n % 2;
    return warp.word(to[i])[lane0 + n % 8 / 2];
  };
  for (uint32_t n = 0; n < columns; ++n)
    sum[n] = !product.adds || isInteger ? 0.0f
             : isHalf                   ? halfToFloatFast(place(n) >> (16 * (n % 2)) & 0xffff)
                                        : asFloat(place(n));
  sumRow(operands, row, form.depth(), columns, sum);
  for (uint32_t n = 0; n < columns; ++n) {
    uint32_t &word = place(n);
    if (isInteger)
      word = (product.adds ? word : 0) + uint32_t(int32_t(sum[n]));
    else if (isHalf)
      word = (word & (n % 2 ? 0xffffu : 0xffff0000u)) | narrow(sum[n], halfFormat, Rounding::nearestEven)
                                                            << (16 * (n % 2));
    else
      word = floatBits(sum[n]);
  }
}

} // namespace

void computeProduct(Warp &warp, const Product &product) {
  static thread_local Operands operands;
  ProductForm form = ProductForm::of(*product.in);
  readA(warp, product, form, operands);
  readMatrix(warp.cta.shared.data(), product.b, form, form.b, form.bMajor, form.negateB ? -1.0f : 1.0f, 0, form.columns,
             [&](uint32_t column, uint32_t k, float value) { operands.b[k][column] = value; });
  for (int row = 0; row < rows; ++row)
    finishRow(warp, product, form, operands, row);
}

} // namespace tercet::sim
