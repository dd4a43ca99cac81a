// The i32 ops of bodies over pairs (docs/spec.md#regions) on every CPU level of this machine, on all pairs of edges.
#include "CompiledBody.h"

#include <catch2/catch.hpp>

#include <bit>
#include <cmath>
#include <functional>
#include <limits>

using namespace tercet;
using namespace tercet::test;

namespace {

using Limits = std::numeric_limits<int32_t>;
constexpr int32_t edges[16] = {0, 1, -1, 2, 3, -3, 7, -7, 31, 32, 33, 1 << 20, 64, 65, -1000, Limits::max()};

int64_t floorDivide(int64_t x, int64_t y) { return x / y - (x % y != 0 && (x < 0) != (y < 0)); }

struct Operation {
  const char *op;
  std::function<int64_t(int64_t, int64_t)> expected; ///< low 32 bits count
};
const Operation operations[] = {
    {"arith.addi", [](int64_t x, int64_t y) { return x + y; }},
    {"arith.subi", [](int64_t x, int64_t y) { return x - y; }},
    {"arith.muli", [](int64_t x, int64_t y) { return x * y; }},
    {"arith.divsi", [](int64_t x, int64_t y) { return y == 0 ? 0 : x / y; }},
    {"arith.remsi", [](int64_t x, int64_t y) { return y == 0 ? 0 : x % y; }},
    {"arith.floordivsi", [](int64_t x, int64_t y) { return y == 0 ? 0 : floorDivide(x, y); }},
    {"arith.ceildivsi", [](int64_t x, int64_t y) { return y == 0 ? 0 : -floorDivide(-x, y); }},
    {"arith.minsi", [](int64_t x, int64_t y) { return std::min(x, y); }},
    {"arith.maxsi", [](int64_t x, int64_t y) { return std::max(x, y); }},
    {"arith.andi", [](int64_t x, int64_t y) { return x & y; }},
    {"arith.ori", [](int64_t x, int64_t y) { return x | y; }},
    {"arith.xori", [](int64_t x, int64_t y) { return x ^ y; }},
    {"arith.shli", [](int64_t x, int64_t y) { return y < 0 || y > 31 ? 0 : x << y; }},
    {"arith.shrsi", [](int64_t x, int64_t y) { return x >> (y < 0 || y > 31 ? 31 : y); }},
};

/// Row r, column c: x is edge 4 r + c / 16, or its negative, or the lowest; y is edge c % 16.
std::vector<float> left(int variant) {
  std::vector<float> x;
  for (int index = 0; index < 256; ++index) {
    int32_t edge = edges[index / 16];
    x.push_back(std::bit_cast<float>(variant == 0 ? edge : variant == 1 ? -edge : Limits::min()));
  }
  return x;
}
std::vector<float> right() {
  std::vector<float> y;
  for (int col = 0; col < 64; ++col)
    y.push_back(std::bit_cast<float>(edges[col % 16]));
  return y;
}

void check(const CompiledBody &body, const Operation &operation, std::function<int32_t(int)> rightAt,
           const std::string &what) {
  for (int variant = 0; variant < 3; ++variant) {
    std::vector<float> x = left(variant), got = body.run(x, {0, 0, 0, 0}, right());
    for (int index = 0; index < 256; ++index) {
      int32_t p = std::bit_cast<int32_t>(x[index]), q = rightAt(index);
      INFO(what << " " << operation.op << "(" << p << ", " << q << ")");
      CHECK(std::bit_cast<int32_t>(got[index]) == static_cast<int32_t>(operation.expected(p, q)));
    }
  }
}

} // namespace

TEST_CASE("integers of bodies are two's complement, divisions by zero give zero, wide shifts zero or the sign",
          "[codegen]") {
  for (CpuLevel level : runnableLevels())
    for (const Operation &operation : operations) {
      std::string op = operation.op, before = "%p = arith.bitcast %x : f32 to i32\n";
      std::string after = "\n%y = arith.bitcast %z : i32 to f32";
      CompiledBody body(level, before + "%q = arith.bitcast %b : f32 to i32\n%z = " + op + " %p, %q : i32" + after);
      check(
          body, operation, [](int index) { return edges[index % 16]; }, std::string(cpuLevelName(level)));
      for (int32_t constant : {0, 1, -1, 3, -5, 33, 64, int32_t{Limits::min()}}) {
        std::string text = "%c = arith.constant " + std::to_string(constant) + " : i32\n";
        CompiledBody by(level, before + text + "%z = " + op + " %p, %c : i32" + after);
        check(
            by, operation, [=](int) { return constant; }, "by a constant");
      }
    }
}

TEST_CASE("integers of a row are computed as scalars, with the same meaning", "[codegen]") {
  for (CpuLevel level : runnableLevels())
    for (const Operation &operation : operations) {
      std::string op = operation.op;
      CompiledBody body(level,
                        "%p = arith.bitcast %a : f32 to i32\n%z = " + op +
                            " %p, %n : i32\n%s = arith.bitcast %z : i32 to f32\n%q = arith.bitcast %s : f32 to i32\n"
                            "%one = arith.constant 1 : i32\n%k = arith.muli %q, %one : i32\n"
                            "%t = arith.addi %k, %j : i32\n%y = arith.bitcast %t : i32 to f32");
      for (int32_t n : {0, 1, -1, 5, -7, 40, int32_t{Limits::min()}}) {
        const int32_t rows[] = {7, -9, Limits::min(), Limits::max()};
        std::vector<float> a;
        for (int32_t value : rows)
          a.push_back(std::bit_cast<float>(value));
        std::vector<float> got = body.run(std::vector<float>(256), a, std::vector<float>(64), 0, 0, n);
        for (int row = 0; row < 4; ++row) {
          INFO(cpuLevelName(level) << " " << op << "(" << rows[row] << ", " << n << ")");
          CHECK(std::bit_cast<int32_t>(got[row * 64]) == static_cast<int32_t>(operation.expected(rows[row], n)));
        }
      }
    }
}

TEST_CASE("positions count from the tile's first element", "[codegen]") {
  for (CpuLevel level : runnableLevels()) {
    CompiledBody body(level, R"(%d = arith.subi %i, %j : i32
                                %y = arith.sitofp %d : i32 to f32)");
    std::vector<float> got = body.run(std::vector<float>(256), {0, 0, 0, 0}, std::vector<float>(64), 1000, 192);
    for (int index = 0; index < 256; ++index)
      CHECK(got[index] == static_cast<float>(1000 + index / 64 - 192 - index % 64));
  }
}

TEST_CASE("floats that no i32 holds become its ends, and NaN zero", "[codegen]") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const std::pair<float, int32_t> cases[] = {{1.9f, 1},
                                             {-1.9f, -1},
                                             {0x1p31f, Limits::max()},
                                             {-0x1p31f, Limits::min()},
                                             {-3e9f, Limits::min()},
                                             {infinity, Limits::max()},
                                             {-infinity, Limits::min()},
                                             {std::nanf(""), 0}};
  for (CpuLevel level : runnableLevels()) {
    CompiledBody body(level, "%z = arith.fptosi %x : f32 to i32\n%y = arith.bitcast %z : i32 to f32");
    for (auto [from, expected] : cases) {
      INFO(cpuLevelName(level) << " " << from);
      std::vector<float> got = body.run(std::vector<float>(256, from), {0, 0, 0, 0}, std::vector<float>(64));
      CHECK(std::bit_cast<int32_t>(got[77]) == expected);
    }
  }
}

TEST_CASE("flags come out of comparisons and choose", "[codegen]") {
  for (CpuLevel level : runnableLevels()) {
    CompiledBody body(level, R"(%past = arith.cmpi sle, %j, %i : i32
                                %odd = arith.trunci %j : i32 to i1
                                %both = arith.andi %past, %odd : i1
                                %c = arith.select %both, %x, %b : f32
                                %w = arith.extsi %both : i1 to i32
                                %f2 = arith.sitofp %w : i32 to f32
                                %y = arith.addf %c, %f2 : f32)");
    std::vector<float> b(64, 20);
    std::vector<float> got = body.run(std::vector<float>(256, 10), {0, 0, 0, 0}, b, 30, 0);
    for (int index = 0; index < 256; ++index) {
      bool both = index % 64 <= 30 + index / 64 && index % 2 == 1;
      CHECK(got[index] == (both ? 9 : 20));
    }
  }
}
