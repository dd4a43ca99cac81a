// CompiledBody: one body over pairs on a tile of 4 x 64, compiled for a CPU level and run on arrays.
#pragma once

#include "tercet/Cpu.h"
#include "tercet/rt/CpuModule.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tercet::test {

/// A table of 4 x 64 elements as a body reads it; both types name the same memory in tests.
struct BodyTable {
  const void *data = nullptr;
  std::array<int64_t, 2> sizes = {1, 1}, strides = {0, 0};
};

class CompiledBody {
public:
  static constexpr int64_t rows = 4, cols = 64;
  using Tile = std::vector<float>; ///< rows x cols

  /// `body` computes %y from %x (its element), %a (of the row), %b (of the column), %i and %j (its position); from outside
  /// it knows %n (i32), %f and %g (tables of f32 and i32) with %s0 %s1 (sizes) and %d0 %d1 (strides). The test fails where
  /// it does not compile.
  CompiledBody(CpuLevel level, const std::string &body);

  /// x: rows x cols; a: rows; b: cols.
  Tile run(const Tile &x, const std::vector<float> &a, const std::vector<float> &b, int64_t firstRow = 0,
           int64_t firstCol = 0, int32_t n = 0, const BodyTable &table = {}) const;

private:
  std::shared_ptr<rt::CpuModule> module;
  CpuFunction function = nullptr;
  int64_t scratchBytes = 0;
};

/// The levels that this machine runs.
std::vector<CpuLevel> runnableLevels();

} // namespace tercet::test
