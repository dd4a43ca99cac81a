// Floating arithmetic: exact bits at NaN, infinities, denormals, signed zeros, ties, and in every direction of rounding.
#include "unit/simulator/OpcodeCase.h"

using tercet::test::checkRows;

namespace {
constexpr uint64_t one = 0x3f800000, two = 0x40000000, half = 0x3f000000, infinity = 0x7f800000, quietNan = 0x7fc00000,
                   minus = 0x80000000, canonical = 0x7fffffff, denormal = 0x00000001, leastNormal = 0x00800000,
                   ulp = 0x33800000; // 2^-24
}

TEST_CASE("f32 sums: NaN is canonical, denormals stay or are flushed, directions differ", "[simulator]") {
  checkRows({
      {"add.f32 %f4, %f10, %f11", one, two, 0, 0x40400000},
      {"add.f32 %f4, %f10, %f11", quietNan, two, 0, canonical},
      {"add.f32 %f4, %f10, %f11", infinity, infinity | minus, 0, canonical},
      {"add.f32 %f4, %f10, %f11", infinity, one, 0, infinity},
      {"add.f32 %f4, %f10, %f11", denormal, denormal, 0, 2},
      {"add.ftz.f32 %f4, %f10, %f11", denormal, denormal, 0, 0},
      {"add.ftz.f32 %f4, %f10, %f11", minus | denormal, minus, 0, minus},
      {"sub.ftz.f32 %f4, %f10, %f11", leastNormal + 1, leastNormal, 0, 0},
      {"sub.f32 %f4, %f10, %f11", leastNormal + 1, leastNormal, 0, 1},
      {"sub.f32 %f4, %f10, %f11", one, one, 0, 0},
      {"add.rn.f32 %f4, %f10, %f11", one, ulp, 0, one},
      {"add.rp.f32 %f4, %f10, %f11", one, ulp, 0, one + 1},
      {"add.rm.f32 %f4, %f10, %f11", one, ulp, 0, one},
      {"add.rz.f32 %f4, %f10, %f11", one | minus, ulp | minus, 0, one | minus},
      {"add.rm.f32 %f4, %f10, %f11", one | minus, ulp | minus, 0, (one | minus) + 1},
      {"add.rp.f32 %f4, %f10, %f11", one, 1, 0, one + 1},
      {"add.rz.f32 %f4, %f10, %f11", 0x7f7fffff, 0x7f7fffff, 0, 0x7f7fffff},
      {"add.sat.f32 %f4, %f10, %f11", one, one, 0, one},
      {"add.sat.f32 %f4, %f10, %f11", one | minus, 0, 0, 0},
      {"add.sat.f32 %f4, %f10, %f11", quietNan, 0, 0, 0},
  });
}

TEST_CASE("f32 products, quotients and fma round once", "[simulator]") {
  checkRows({
      {"mul.f32 %f4, %f10, %f11", 0x3f800001, 0x3f800001, 0, 0x3f800002},
      {"mul.rp.f32 %f4, %f10, %f11", 0x3f800001, 0x3f800001, 0, 0x3f800003},
      {"mul.f32 %f4, %f10, %f11", 0, infinity, 0, canonical},
      {"mul.ftz.f32 %f4, %f10, %f11", leastNormal, half, 0, 0},
      {"mul.f32 %f4, %f10, %f11", leastNormal, half, 0, 0x00400000},
      {"fma.rn.f32 %f4, %f10, %f11, %f12", 0x3f800001, 0x3f800001, 0xbf800002, 0x28800000},
      {"fma.rn.f32 %f4, %f10, %f11, %f12", 0x3f800001, 0x3f800001, 0, 0x3f800002},
      // A tie that a tiny addend breaks: rounding twice, to double first, would lose it.
      {"fma.rn.f32 %f4, %f10, %f11, %f12", 0x3f800001, 0x3f800800, 0x00000001, 0x3f800801},
      {"fma.rn.f32 %f4, %f10, %f11, %f12", one, 0x3f800001, ulp, 0x3f800002},
      {"fma.rn.f32 %f4, %f10, %f11, %f12", infinity, 0, one, canonical},
      {"fma.rn.f32 %f4, %f10, %f11, %f12", infinity, one, infinity | minus, canonical},
      {"fma.rn.f32 %f4, %f10, %f11, %f12", infinity, one, one, infinity},
      {"fma.rn.f32 %f4, %f10, %f11, %f12", 0x7f000000, 0x7f000000, infinity | minus, infinity | minus},
      {"fma.rn.ftz.f32 %f4, %f10, %f11, %f12", leastNormal, half, 0, 0},
      {"fma.rz.f32 %f4, %f10, %f11, %f12", 0x3f800001, one, ulp, 0x3f800001},
      {"fma.rp.f32 %f4, %f10, %f11, %f12", 0x3f800001, one, 1, 0x3f800002},
      {"fma.rn.sat.f32 %f4, %f10, %f11, %f12", two, one, two, one},
      {"div.rn.f32 %f4, %f10, %f11", one, 0x40400000, 0, 0x3eaaaaab},
      {"div.rz.f32 %f4, %f10, %f11", one, 0x40400000, 0, 0x3eaaaaaa},
      {"div.rp.f32 %f4, %f10, %f11", one | minus, 0x40400000, 0, 0xbeaaaaaa},
      {"div.rm.f32 %f4, %f10, %f11", one, 0xc0400000, 0, 0xbeaaaaab},
      {"div.full.f32 %f4, %f10, %f11", one, two, 0, half},
      {"div.approx.ftz.f32 %f4, %f10, %f11", one, 0, 0, infinity},
      {"div.rn.f32 %f4, %f10, %f11", 0, 0, 0, canonical},
  });
}

TEST_CASE("min, max, abs and neg treat NaN and zeros as PTX says", "[simulator]") {
  checkRows({
      {"max.f32 %f4, %f10, %f11", quietNan, one, 0, one},
      {"max.f32 %f4, %f10, %f11", one, quietNan, 0, one},
      {"max.NaN.f32 %f4, %f10, %f11", one, quietNan, 0, canonical},
      {"min.f32 %f4, %f10, %f11", quietNan, quietNan, 0, canonical},
      {"max.f32 %f4, %f10, %f11", minus, 0, 0, 0},
      {"max.f32 %f4, %f10, %f11", 0, minus, 0, 0},
      {"min.f32 %f4, %f10, %f11", 0, minus, 0, minus},
      {"max.f32 %f4, %f10, %f11", infinity | minus, one | minus, 0, one | minus},
      {"min.f32 %f4, %f10, %f11", two | minus, one | minus, 0, two | minus},
      {"max.ftz.f32 %f4, %f10, %f11", denormal, 0, 0, 0},
      {"abs.f32 %f4, %f10", two | minus, 0, 0, two},
      {"neg.f32 %f4, %f10", 0, 0, 0, minus},
      {"neg.ftz.f32 %f4, %f10", denormal, 0, 0, minus},
      {"abs.ftz.f32 %f4, %f10", minus | denormal, 0, 0, 0},
  });
}

TEST_CASE("f64, f16 and bf16 arithmetic", "[simulator]") {
  checkRows({
      {"add.f64 %d4, %d10, %d11", 0x3ff0000000000000, 0x3ff0000000000000, 0, 0x4000000000000000},
      {"fma.rn.f64 %d4, %d10, %d11, %d12", 0x3ff0000000000001, 0x3ff0000000000001, 0xbff0000000000002,
       0x3970000000000000},
      {"div.rn.f64 %d4, %d10, %d11", 0x3ff0000000000000, 0x4008000000000000, 0, 0x3fd5555555555555},
      {"max.f64 %d4, %d10, %d11", 0x7ff8000000000000, 0x4008000000000000, 0, 0x4008000000000000},
      {"neg.f64 %d4, %d10", 0x3ff0000000000000, 0, 0, 0xbff0000000000000},
      {"add.f16 %h4, %h10, %h11", 0x3c00, 0x1000, 0, 0x3c00},
      {"add.f16 %h4, %h10, %h11", 0x3c01, 0x1000, 0, 0x3c02},
      {"add.f16 %h4, %h10, %h11", 0x7bff, 0x7bff, 0, 0x7c00},
      {"add.f16 %h4, %h10, %h11", 0x0001, 0x0001, 0, 0x0002},
      {"add.f16 %h4, %h10, %h11", 0x7e00, 0x3c00, 0, 0x7fff},
      {"add.f16x2 %r4, %r10, %r11", 0x3c004000, 0x3c003c00, 0, 0x40004200},
      {"mul.bf16x2 %r4, %r10, %r11", 0x3f804000, 0x40004040, 0, 0x400040c0},
      {"fma.rn.bf16x2 %r4, %r10, %r11, %r12", 0x3f804000, 0x40004040, 0x3f803f80, 0x404040e0},
      {"fma.rn.relu.f16 %h4, %h10, %h11, %h12", 0xbc00, 0x3c00, 0, 0},
      {"max.bf16x2 %r4, %r10, %r11", 0x3f80c000, 0x40007fc0, 0, 0x4000c000},
      {"neg.bf16x2 %r4, %r10", 0x3f804000, 0, 0, 0xbf80c000},
      {"abs.f16 %h4, %h10", 0xbc00, 0, 0, 0x3c00},
  });
}

TEST_CASE("pairs of f32, signs and classes", "[simulator]") {
  checkRows({
      {"add.rn.f32x2 %rd4, %rd10, %rd11", one << 32 | two, one << 32 | one, 0, two << 32 | 0x40400000},
      {"fma.rn.f32x2 %rd4, %rd10, %rd11, %rd12", one << 32 | two, two << 32 | two, one, two << 32 | 0x40a00000},
      {"mul.rn.ftz.f32x2 %rd4, %rd10, %rd11", leastNormal, half, 0, 0},
      {"copysign.f32 %f4, %f10, %f11", minus, two, 0, two | minus},
      {"copysign.f64 %d4, %d10, %d11", 1, 0xbff0000000000000, 0, 0x3ff0000000000000},
      {"testp.finite.f32 %p4, %f10", infinity, 0, 0, 0},
      {"testp.notanumber.f32 %p4, %f10", quietNan, 0, 0, 1},
      {"testp.subnormal.f32 %p4, %f10", denormal, 0, 0, 1},
      {"testp.normal.f64 %p4, %d10", 0x3ff0000000000000, 0, 0, 1},
  });
}

TEST_CASE("functions are exact where their result is", "[simulator]") {
  checkRows({
      {"ex2.approx.ftz.f32 %f4, %f10", 0x40400000, 0, 0, 0x41000000},
      {"ex2.approx.ftz.f32 %f4, %f10", infinity | minus, 0, 0, 0},
      {"ex2.approx.ftz.f32 %f4, %f10", infinity, 0, 0, infinity},
      {"ex2.approx.ftz.f32 %f4, %f10", quietNan, 0, 0, canonical},
      {"ex2.approx.ftz.f32 %f4, %f10", 0xc2fe0000, 0, 0, 0}, // 2^-127
      {"ex2.approx.f32 %f4, %f10", 0xc2fe0000, 0, 0, 0x00400000},
      {"lg2.approx.f32 %f4, %f10", 0x41000000, 0, 0, 0x40400000},
      {"lg2.approx.ftz.f32 %f4, %f10", 0, 0, 0, infinity | minus},
      {"lg2.approx.f32 %f4, %f10", one | minus, 0, 0, canonical},
      {"rcp.rn.f32 %f4, %f10", 0x40400000, 0, 0, 0x3eaaaaab},
      {"rcp.rz.f32 %f4, %f10", 0x40400000, 0, 0, 0x3eaaaaaa},
      {"rcp.approx.ftz.f32 %f4, %f10", minus, 0, 0, infinity | minus},
      {"sqrt.rn.f32 %f4, %f10", two, 0, 0, 0x3fb504f3},
      {"sqrt.rp.f32 %f4, %f10", two, 0, 0, 0x3fb504f4},
      {"sqrt.approx.f32 %f4, %f10", 0x41100000, 0, 0, 0x40400000},
      {"rsqrt.approx.f32 %f4, %f10", 0x40800000, 0, 0, half},
      {"tanh.approx.f32 %f4, %f10", infinity, 0, 0, one},
      {"sin.approx.f32 %f4, %f10", 0, 0, 0, 0},
      {"cos.approx.f32 %f4, %f10", 0, 0, 0, one},
      {"rcp.rn.f64 %d4, %d10", 0x4000000000000000, 0, 0, 0x3fe0000000000000},
      {"ex2.approx.f16 %h4, %h10", 0x4200, 0, 0, 0x4800},
      {"ex2.approx.ftz.bf16x2 %r4, %r10", 0x40403f80, 0, 0, 0x41004000},
      {"tanh.approx.bf16 %h4, %h10", 0, 0, 0, 0},
  });
}
