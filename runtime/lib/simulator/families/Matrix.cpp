// mma.sync: D = A B + C on fragments, m16n8 with f16, bf16, tf32 and 8-bit integers.
//
// With E elements in a register, g = lane / 4 and t = lane % 4: register i of A holds row g + 8 (i % 2), columns
// E t + 4 E (i / 2) and the E - 1 after it; register i of B holds rows E t + 4 E i and on, column g; accumulators of 32 bits
// row g + 8 (i / 2), column 2 t + i % 2; of 16 bits, pairs of row g + 8 i. Products are exact; sums are made in f32,
// one after another by k, where hardware's order and width are its own: results agree to rounding.
#include "core/Warp.h"
#include "families/Families.h"

#include "core/Numbers.h"

#include <fmt/format.h>

#include <cstring>

namespace tercet::sim {

namespace {

constexpr int rows = 16, columns = 8, deepest = 32;

// How elements of A and B are made of a register's bits.
template <Type type> struct Element;
template <> struct Element<Type::bf16> {
  static constexpr int perRegister = 2;
  using Value = float;
  static float at(uint32_t bits, int e) { return asFloat(e ? bits & 0xffff0000 : bits << 16); }
};
template <> struct Element<Type::f16> {
  static constexpr int perRegister = 2;
  using Value = float;
  static float at(uint32_t bits, int e) { return halfToFloatFast(bits >> (16 * e) & 0xffff); }
};
template <> struct Element<Type::tf32> {
  static constexpr int perRegister = 1;
  using Value = float;
  static float at(uint32_t bits, int) { return asFloat(bits & 0xffffe000); } // hardware reads 19 bits
};
template <> struct Element<Type::s8> {
  static constexpr int perRegister = 4;
  using Value = int32_t;
  static int32_t at(uint32_t bits, int e) { return int8_t(bits >> (8 * e)); }
};
template <> struct Element<Type::u8> {
  static constexpr int perRegister = 4;
  using Value = int32_t;
  static int32_t at(uint32_t bits, int e) { return uint8_t(bits >> (8 * e)); }
};

using FloatA = float[rows][deepest];
using FloatB = float[deepest][columns];
using FloatC = float[rows][columns];

/// A row of B or C.
using Row [[gnu::vector_size(columns * sizeof(float))]] = float;

// Four rows at a time, so that their sums do not wait for each other.
[[gnu::always_inline]] inline void multiplyRows(const FloatA &a, const FloatB &b, FloatC &c, int depth) {
  constexpr int together = 4;
  for (int first = 0; first < rows; first += together) {
    Row sums[together];
    std::memcpy(sums, c[first], sizeof sums);
    for (int k = 0; k < depth; ++k) {
      Row right;
      std::memcpy(&right, b[k], sizeof right);
      for (int i = 0; i < together; ++i)
        sums[i] += a[first + i][k] * right;
    }
    std::memcpy(c[first], sums, sizeof sums);
  }
}

// Products of two numbers of 11 bits are exact, so that fusing them into the sum changes no bit.
#if defined(__x86_64__)
[[gnu::target("avx2,fma")]] void multiplyWide(const FloatA &a, const FloatB &b, FloatC &c, int depth) {
  multiplyRows(a, b, c, depth);
}
#endif
void multiplyPlain(const FloatA &a, const FloatB &b, FloatC &c, int depth) { multiplyRows(a, b, c, depth); }

void multiply(const FloatA &a, const FloatB &b, FloatC &c, int depth) {
#if defined(__x86_64__)
  static const bool wide = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (wide)
    return multiplyWide(a, b, c, depth);
#endif
  multiplyPlain(a, b, c, depth);
}

// Integers wrap.
void multiply(const int32_t (&a)[rows][deepest], const int32_t (&b)[deepest][columns], int32_t (&c)[rows][columns],
              int depth) {
  for (int row = 0; row < rows; ++row)
    for (int k = 0; k < depth; ++k)
      for (int column = 0; column < columns; ++column)
        c[row][column] = int32_t(uint32_t(c[row][column]) + uint32_t(a[row][k] * b[k][column]));
}

// f(g, t, lane) for every lane: in two loops, so that the places of elements are no divisions.
template <typename F> [[gnu::always_inline]] inline void forFragment(F &&f) {
  for (int g = 0; g < 8; ++g)
    for (int t = 0; t < 4; ++t)
      f(g, t, 4 * g + t);
}

// immediate: k. flag: accumulators are f16. from: registers of A, then B, then C.
template <Type typeA, Type typeB> void product(Warp &warp, const Instruction &in, Mask mask) {
  if (!warp.gather(in, mask, allLanes))
    return;
  using A = Element<typeA>;
  using B = Element<typeB>;
  using Value = typename A::Value;
  constexpr int per = A::perRegister;
  const int depth = int(in.immediate), registersB = depth / (4 * per), registersA = 2 * registersB;
  Value a[rows][deepest], b[deepest][columns], c[rows][columns];
  for (int i = 0; i < registersA; ++i) {
    const uint32_t *from = warp.word(in.from[i]);
    forFragment([&](int g, int t, int lane) {
      for (int e = 0; e < per; ++e)
        a[g + 8 * (i & 1)][per * t + 4 * per * (i >> 1) + e] = A::at(from[lane], e);
    });
  }
  for (int i = 0; i < registersB; ++i) {
    const uint32_t *from = warp.word(in.from[registersA + i]);
    forFragment([&](int g, int t, int lane) {
      for (int e = 0; e < per; ++e)
        b[per * t + 4 * per * i + e][g] = B::at(from[lane], e);
    });
  }
  const uint32_t *accumulators = in.from + registersA + registersB;
  const bool halves = in.flag;
  for (int i = 0; i < (halves ? 2 : 4); ++i) {
    const uint32_t *from = warp.word(accumulators[i]);
    if (halves)
      forFragment([&](int g, int t, int lane) {
        c[g + 8 * i][2 * t] = Value(halfToFloatFast(from[lane] & 0xffff));
        c[g + 8 * i][2 * t + 1] = Value(halfToFloatFast(from[lane] >> 16));
      });
    else
      forFragment(
          [&](int g, int t, int lane) { c[g + 8 * (i >> 1)][2 * t + (i & 1)] = std::bit_cast<Value>(from[lane]); });
  }
  multiply(a, b, c, depth);
  for (int i = 0; i < (halves ? 2 : 4); ++i) {
    uint32_t *to = warp.word(in.to[i]);
    forFragment([&](int g, int t, int lane) {
      if (halves)
        to[lane] = narrow(c[g + 8 * i][2 * t], halfFormat, Rounding::nearestEven) |
                   narrow(c[g + 8 * i][2 * t + 1], halfFormat, Rounding::nearestEven) << 16;
      else if constexpr (std::is_same_v<Value, float>)
        to[lane] = floatBits(c[g + 8 * (i >> 1)][2 * t + (i & 1)]);
      else
        to[lane] = uint32_t(c[g + 8 * (i >> 1)][2 * t + (i & 1)]);
    });
  }
}

int takeDepth(Decoding &d) {
  return d.takeNeeded<int>({{"m16n8k4", 4}, {"m16n8k8", 8}, {"m16n8k16", 16}, {"m16n8k32", 32}},
                           "shape among m16n8k4, k8, k16 and k32");
}

Handler handlerOf(Decoding &d, Type a, Type b) {
  if (a == b)
    switch (a) {
    case Type::bf16:
      return product<Type::bf16, Type::bf16>;
    case Type::f16:
      return product<Type::f16, Type::f16>;
    case Type::tf32:
      return product<Type::tf32, Type::tf32>;
    case Type::s8:
      return product<Type::s8, Type::s8>;
    case Type::u8:
      return product<Type::u8, Type::u8>;
    default:
      break;
    }
  if (a == Type::s8 && b == Type::u8)
    return product<Type::s8, Type::u8>;
  if (a == Type::u8 && b == Type::s8)
    return product<Type::u8, Type::s8>;
  d.fail(fmt::format("does not multiply .{} by .{}", nameOf(a), nameOf(b)));
}

void decode(Decoding &d) {
  if (!d.take("aligned") || !d.take("row") || !d.take("col"))
    d.fail("exists here as .aligned.row.col");
  int depth = takeDepth(d);
  Type result = d.takeType(), a = d.takeType(), b = d.takeType(), sum = d.takeType();
  bool integers = bytesOf(a) == 1;
  uint32_t perRegister = 4 / bytesOf(a);
  Type expected = integers ? Type::s32 : result == Type::f16 && a == Type::f16 ? Type::f16 : Type::f32;
  if (result != expected || sum != expected)
    d.fail(fmt::format("sums .{} into .{} and .{}", nameOf(a), nameOf(sum), nameOf(result)));
  if (uint32_t(depth) != 4 * perRegister && uint32_t(depth) != 8 * perRegister)
    d.fail(fmt::format("does not multiply .{} with k = {}", nameOf(a), depth));
  d.expectOperands(4);
  size_t registersB = size_t(depth) / (4 * perRegister), registersC = expected == Type::f16 ? 2 : 4;
  Type word = expected == Type::f32 ? Type::f32 : Type::b32;
  d.toList(0, word, registersC);
  d.fromList(1, Type::b32, 2 * registersB);
  d.fromList(2, Type::b32, registersB);
  d.fromList(3, word, registersC);
  d.in.immediate = depth;
  d.in.flag = expected == Type::f16;
  d.in.flops = uint64_t(2) * rows * columns * uint64_t(depth);
  d.run(handlerOf(d, a, b));
}

constexpr Rule rules[] = {{"mma.sync", decode}};

} // namespace

Rules matrixRules() { return rules; }

} // namespace tercet::sim
