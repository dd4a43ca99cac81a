// Conversions: extension, truncation, saturation, rounding to integers and to narrow floats.
#include "unit/simulator/OpcodeCase.h"

using tercet::test::checkRows;

TEST_CASE("integers extend by their own sign and keep low bits", "[simulator]") {
  checkRows({
      {"cvt.s64.s32 %rd4, %r10", 0x80000000, 0, 0, 0xffffffff80000000},
      {"cvt.u64.u32 %rd4, %r10", 0x80000000, 0, 0, 0x80000000},
      {"cvt.s64.s16 %rd4, %h10", 0x8000, 0, 0, 0xffffffffffff8000},
      {"cvt.u32.u64 %r4, %rd10", 0x123456789abcdef0, 0, 0, 0x9abcdef0},
      {"cvt.s32.s16 %r4, %h10", 0x8000, 0, 0, 0xffff8000},
      {"cvt.u32.u16 %r4, %h10", 0x8000, 0, 0, 0x8000},
      {"cvt.u16.u32 %h4, %r10", 0x12345678, 0, 0, 0x5678},
      {"cvt.s32.s8 %r4, %r10", 0x180, 0, 0, 0xffffff80},
      {"cvt.u32.u8 %r4, %r10", 0x1ff, 0, 0, 0xff},
      {"cvt.s16.s8 %h4, %h10", 0x0080, 0, 0, 0xff80},
      {"cvt.u16.u8 %h4, %h10", 0x0180, 0, 0, 0x0080},
      {"cvt.sat.u8.s32 %r4, %r10", 300, 0, 0, 255},
      {"cvt.sat.u8.s32 %r4, %r10", 0xffffffff, 0, 0, 0},
      {"cvt.sat.s8.s32 %r4, %r10", 0xffffff00, 0, 0, 0xffffff80},
      {"cvt.sat.s32.s64 %r4, %rd10", 0x100000000, 0, 0, 0x7fffffff},
      {"cvt.sat.u32.s64 %r4, %rd10", 0xffffffffffffffff, 0, 0, 0},
  });
}

TEST_CASE("floats become integers, rounded as told and saturated", "[simulator]") {
  checkRows({
      {"cvt.rzi.s32.f32 %r4, %f10", 0xc0200000, 0, 0, 0xfffffffe}, // -2.5
      {"cvt.rni.s32.f32 %r4, %f10", 0xc0200000, 0, 0, 0xfffffffe},
      {"cvt.rmi.s32.f32 %r4, %f10", 0xc0200000, 0, 0, 0xfffffffd},
      {"cvt.rpi.s32.f32 %r4, %f10", 0xc0200000, 0, 0, 0xfffffffe},
      {"cvt.rni.s32.f32 %r4, %f10", 0x40600000, 0, 0, 4}, // 3.5
      {"cvt.rzi.u32.f32 %r4, %f10", 0xbf800000, 0, 0, 0}, // -1
      {"cvt.rzi.s32.f32 %r4, %f10", 0x7f800000, 0, 0, 0x7fffffff},
      {"cvt.rzi.u32.f32 %r4, %f10", 0x7f800000, 0, 0, 0xffffffff},
      {"cvt.rzi.s32.f32 %r4, %f10", 0x7fc00000, 0, 0, 0},
      {"cvt.rzi.s64.f32 %rd4, %f10", 0xff800000, 0, 0, 0x8000000000000000},
      {"cvt.rzi.u64.f64 %rd4, %d10", 0x43f0000000000000, 0, 0, 0xffffffffffffffff},
      {"cvt.rzi.s32.f64 %r4, %d10", 0xc1e0000000200000, 0, 0, 0x80000000},
      {"cvt.rni.f32.f32 %f4, %f10", 0x40200000, 0, 0, 0x40000000},
      {"cvt.rmi.f32.f32 %f4, %f10", 0xbf000000, 0, 0, 0xbf800000},
  });
}

TEST_CASE("integers become floats, rounded once", "[simulator]") {
  checkRows({
      {"cvt.rn.f32.s32 %f4, %r10", 0xffffffff, 0, 0, 0xbf800000},
      {"cvt.rn.f32.u32 %f4, %r10", 0xffffffff, 0, 0, 0x4f800000},
      {"cvt.rz.f32.u32 %f4, %r10", 0xffffffff, 0, 0, 0x4f7fffff},
      {"cvt.rn.f32.u32 %f4, %r10", 0x01000001, 0, 0, 0x4b800000},
      {"cvt.rp.f32.u32 %f4, %r10", 0x01000001, 0, 0, 0x4b800001},
      // 2^54 + 2^30 + 1: one above a tie; rounding to double first would make it one.
      {"cvt.rn.f32.s64 %f4, %rd10", 0x0040000040000001, 0, 0, 0x5a800001},
      {"cvt.rn.f32.u64 %f4, %rd10", 0xffffffffffffffff, 0, 0, 0x5f800000},
      {"cvt.rn.f64.s64 %d4, %rd10", 0xffffffffffffffff, 0, 0, 0xbff0000000000000},
      {"cvt.rn.f64.u32 %d4, %r10", 0xffffffff, 0, 0, 0x41efffffffe00000},
      {"cvt.rn.f16.s32 %h4, %r10", 2049, 0, 0, 0x6800},
      {"cvt.rn.bf16.s32 %h4, %r10", 257, 0, 0, 0x4380},
  });
}

TEST_CASE("floats change formats", "[simulator]") {
  checkRows({
      {"cvt.f64.f32 %d4, %f10", 0x3f800000, 0, 0, 0x3ff0000000000000},
      {"cvt.rn.f32.f64 %f4, %d10", 0x3ff0000010000000, 0, 0, 0x3f800000},
      {"cvt.rn.f32.f64 %f4, %d10", 0x3ff0000010000001, 0, 0, 0x3f800001},
      {"cvt.rz.f32.f64 %f4, %d10", 0x3ff000001fffffff, 0, 0, 0x3f800000},
      {"cvt.rn.f32.f64 %f4, %d10", 0x7ff8000000000000, 0, 0, 0x7fffffff},
      {"cvt.f32.f16 %f4, %h10", 0x0001, 0, 0, 0x33800000},
      {"cvt.f32.f16 %f4, %h10", 0xfc00, 0, 0, 0xff800000},
      {"cvt.f32.bf16 %f4, %h10", 0xbf80, 0, 0, 0xbf800000},
      {"cvt.rn.f16.f32 %h4, %f10", 0x477ff000, 0, 0, 0x7c00},
      {"cvt.rn.f16.f32 %h4, %f10", 0x477fefff, 0, 0, 0x7bff},
      {"cvt.rz.f16.f32 %h4, %f10", 0x7f000000, 0, 0, 0x7bff},
      {"cvt.rn.f16.f32 %h4, %f10", 0x33000000, 0, 0, 0},
      {"cvt.rn.f16.f32 %h4, %f10", 0x33000001, 0, 0, 1},
      {"cvt.rn.bf16.f32 %h4, %f10", 0x3f808000, 0, 0, 0x3f80},
      {"cvt.rn.bf16.f32 %h4, %f10", 0x3f818000, 0, 0, 0x3f82},
      {"cvt.rn.relu.bf16.f32 %h4, %f10", 0xbf800000, 0, 0, 0},
      {"cvt.rn.bf16x2.f32 %r4, %f10, %f11", 0x3f800000, 0x40000000, 0, 0x3f804000},
      {"cvt.rn.bf16x2.f32 %r4, %f10, %f11", 0x7fc00000, 0x7f7fffff, 0, 0x7fff7f80},
      {"cvt.rz.bf16x2.f32 %r4, %f10, %f11", 0x3f80ffff, 0x7f7fffff, 0, 0x3f807f7f},
      {"cvt.rn.f16x2.f32 %r4, %f10, %f11", 0x3f800000, 0x40000000, 0, 0x3c004000},
      {"cvt.rna.tf32.f32 %r4, %f10", 0x3f801000, 0, 0, 0x3f802000},
      {"cvt.rna.tf32.f32 %r4, %f10", 0x3f800fff, 0, 0, 0x3f800000},
      {"cvt.ftz.f32.f32 %f4, %f10", 0x80000001, 0, 0, 0x80000000},
      {"cvt.sat.f32.f32 %f4, %f10", 0x40000000, 0, 0, 0x3f800000},
  });
}
