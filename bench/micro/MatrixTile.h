// A register tile of a matrix product: Rows x (Columns * Lanes) accumulators, C += A B over `depth` steps, the loop
// that the CPU code generator emits. FMAs are written as instructions, so that both forms of the broadcast are what
// they say: one vbroadcastss per row and step, or the broadcast as the memory operand of every FMA (512-bit only).
#pragma once

#include "Micro.h"
#include "tercet/LoopHints.h"

#include <cstdint>

namespace tercet::bench {

template <int Lanes> struct VectorOf { typedef float Type __attribute__((vector_size(Lanes * 4))); };

enum class Broadcast { perRow, memoryOperand };

template <int Lanes, int Rows, int Columns, Broadcast form>
__attribute__((noinline)) void matrixTile(const float *a, int64_t rowStride, const float *b, float *c, int64_t depth) {
  using Vector = typename VectorOf<Lanes>::Type;
  Vector acc[Rows][Columns];
  auto *tile = reinterpret_cast<Vector *>(c);
  TERCET_UNROLL(32)
  for (int row = 0; row < Rows; ++row) {
    TERCET_UNROLL(32)
    for (int column = 0; column < Columns; ++column)
      acc[row][column] = tile[row * Columns + column];
  }
  for (int64_t k = 0; k < depth; ++k, b += Columns * Lanes) {
    Vector right[Columns];
    TERCET_UNROLL(32)
    for (int column = 0; column < Columns; ++column)
      right[column] = reinterpret_cast<const Vector *>(b)[column];
    TERCET_UNROLL(32)
    for (int row = 0; row < Rows; ++row) {
      const float *left = a + row * rowStride + k;
      if constexpr (form == Broadcast::perRow) {
        Vector spread;
        __asm__("vbroadcastss %1, %0" : "=v"(spread) : "m"(*left));
        TERCET_UNROLL(32)
        for (int column = 0; column < Columns; ++column)
          __asm__("vfmadd231ps %2, %1, %0" : "+v"(acc[row][column]) : "v"(spread), "v"(right[column]));
      } else {
        TERCET_UNROLL(32)
        for (int column = 0; column < Columns; ++column)
          __asm__("vfmadd231ps %1%{1to16%}, %2, %0" : "+v"(acc[row][column]) : "m"(*left), "v"(right[column]));
      }
    }
  }
  TERCET_UNROLL(32)
  for (int row = 0; row < Rows; ++row) {
    TERCET_UNROLL(32)
    for (int column = 0; column < Columns; ++column)
      tile[row * Columns + column] = acc[row][column];
  }
}

/// Times one tile over `rows` rows of A (as many whole tiles as fit) against `blocks` panels of B, one after another:
/// one panel stays in L1, many come from L2.
template <int Lanes, int Rows, int Columns, Broadcast form = Broadcast::perRow>
void timeMatrixTile(Findings &findings, const char *group, int64_t depth, int64_t rows, int64_t blocks) {
  constexpr int64_t width = Columns * Lanes;
  int64_t tiles = rows / Rows;
  Floats a(static_cast<size_t>(rows * depth)), b(static_cast<size_t>(blocks * depth * width)), c(Rows * width);
  auto work = [&] {
    for (int64_t block = 0; block < blocks; ++block)
      for (int64_t tile = 0; tile < tiles; ++tile)
        matrixTile<Lanes, Rows, Columns, form>(a.data() + tile * Rows * depth, depth, b.data() + block * depth * width,
                                               c.data(), depth);
  };
  std::string name = std::to_string(Rows) + "x" + std::to_string(width) + " depth " + std::to_string(depth) + " rows " +
                     std::to_string(rows) + (blocks == 1 ? " panel in L1" : " panels from L2") +
                     (form == Broadcast::memoryOperand ? ", memory broadcast" : "");
  double flops = 2.0 * static_cast<double>(blocks * tiles * Rows * width * depth);
  findings.peakFraction(group, name, flops, work, Lanes == 16 ? CpuLevel::v4 : CpuLevel::v3);
}

} // namespace tercet::bench
