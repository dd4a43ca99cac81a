// Tables read in bodies over pairs: by rows, by columns, by both, with clamped indices and any strides.
#include "CompiledBody.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <bit>

using namespace tercet;
using namespace tercet::test;

namespace {

/// Elements of a table by clamped indices.
template <typename T> T clampedRead(const BodyTable &table, int64_t first, int64_t second) {
  auto clamp = [&](int64_t index, int axis) { return std::clamp<int64_t>(index, 0, table.sizes[axis] - 1); };
  return static_cast<const T *>(table.data)[clamp(first, 0) * table.strides[0] + clamp(second, 1) * table.strides[1]];
}

constexpr const char *readBoth = R"(
    %r = tkern.element %f[%i, %j] sizes(%s0, %s1) strides(%d0, %d1) : !tkern.pointer<f32> -> f32
    %y = arith.addf %x, %r : f32)";

} // namespace

TEST_CASE("a table of pairs is read at their positions, wherever its ends are and however it lies", "[codegen]") {
  std::vector<float> memory(200 * 200);
  for (size_t index = 0; index < memory.size(); ++index)
    memory[index] = static_cast<float>(index);
  struct Lies {
    int64_t sizes[2], strides[2];
  };
  for (CpuLevel level : runnableLevels()) {
    CompiledBody body(level, readBoth);
    for (const Lies &lies :
         {Lies{{200, 200}, {200, 1}}, Lies{{100, 90}, {200, 1}}, Lies{{200, 200}, {1, 200}}, Lies{{40, 3}, {3, 1}},
          Lies{{1, 200}, {7, 1}}, Lies{{200, 1}, {1, 1}}, Lies{{1, 1}, {0, 0}}, Lies{{50, 60}, {300, 3}}})
      for (int64_t firstCol : {0, 64, 128}) {
        BodyTable table{memory.data(), {lies.sizes[0], lies.sizes[1]}, {lies.strides[0], lies.strides[1]}};
        std::vector<float> got =
            body.run(std::vector<float>(256, 1), {0, 0, 0, 0}, std::vector<float>(64), 36, firstCol, 0, table);
        for (int64_t index = 0; index < 256; ++index) {
          INFO(cpuLevelName(level) << " " << lies.sizes[1] << " " << lies.strides[1] << " at " << firstCol);
          CHECK(got[index] == 1 + clampedRead<float>(table, 36 + index / 64, firstCol + index % 64));
        }
      }
  }
}

TEST_CASE("indices below zero and beyond the end read the ends", "[codegen]") {
  std::vector<float> memory = {10, 20, 30, 40, 50, 60};
  BodyTable table{memory.data(), {2, 3}, {3, 1}};
  for (CpuLevel level : runnableLevels()) {
    CompiledBody body(level, R"(%down = arith.subi %n, %i : i32
      %back = arith.subi %j, %n : i32
      %y = tkern.element %f[%down, %back] sizes(%s0, %s1) strides(%d0, %d1) : !tkern.pointer<f32> -> f32)");
    std::vector<float> got = body.run(std::vector<float>(256), {0, 0, 0, 0}, std::vector<float>(64), 0, 0, 3, table);
    for (int64_t index = 0; index < 256; ++index)
      CHECK(got[index] == clampedRead<float>(table, 3 - index / 64, index % 64 - 3));
  }
}

TEST_CASE("what was read from a table may index another one", "[codegen]") {
  // An i32 table of a row's and a column's group, then the same memory as f32 at (group of row, group of column).
  std::vector<int32_t> groups(64);
  for (int col = 0; col < 64; ++col)
    groups[col] = col / 10;
  BodyTable table{groups.data(), {8, 8}, {8, 1}};
  for (CpuLevel level : runnableLevels()) {
    CompiledBody body(level, R"(%first = arith.constant 0 : i32
      %p = tkern.element %g[%first, %i] sizes(%s0, %s1) strides(%d0, %d1) : !tkern.pointer<i32> -> i32
      %q = arith.bitcast %b : f32 to i32
      %r = tkern.element %g[%q, %p] sizes(%s0, %s1) strides(%d0, %d1) : !tkern.pointer<i32> -> i32
      %s = arith.addi %r, %j : i32
      %y = arith.sitofp %s : i32 to f32)");
    std::vector<float> b(64);
    for (int col = 0; col < 64; ++col)
      b[col] = std::bit_cast<float>(col % 8);
    std::vector<float> got = body.run(std::vector<float>(256), {0, 0, 0, 0}, b, 2, 0, 0, table);
    for (int64_t index = 0; index < 256; ++index) {
      int32_t p = clampedRead<int32_t>(table, 0, 2 + index / 64);
      CHECK(got[index] == static_cast<float>(clampedRead<int32_t>(table, index % 64 % 8, p) + index % 64));
    }
  }
}
