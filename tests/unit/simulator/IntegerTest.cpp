// Integer arithmetic: wrapping, saturation, high and wide products, signs, division at its edges.
#include "unit/simulator/OpcodeCase.h"

using tercet::test::checkRows;

TEST_CASE("sums and differences wrap or saturate", "[simulator]") {
  checkRows({
      {"add.u32 %r4, %r10, %r11", 0xffffffff, 2, 0, 1},
      {"add.s32 %r4, %r10, %r11", 0x7fffffff, 1, 0, 0x80000000},
      {"add.sat.s32 %r4, %r10, %r11", 0x7fffffff, 1, 0, 0x7fffffff},
      {"add.sat.s32 %r4, %r10, %r11", 0x80000000, 0xffffffff, 0, 0x80000000},
      {"add.s64 %rd4, %rd10, %rd11", 0xffffffffffffffff, 2, 0, 1},
      {"add.u64 %rd4, %rd10, 4096", 0x700000000000, 0, 0, 0x700000001000},
      {"add.u16 %h4, %h10, %h11", 0xffff, 2, 0, 1},
      {"add.s16 %h4, %h10, %h11", 0x7fff, 1, 0, 0x8000},
      {"sub.u32 %r4, %r10, %r11", 1, 2, 0, 0xffffffff},
      {"sub.sat.s32 %r4, %r10, %r11", 0x80000000, 1, 0, 0x80000000},
      {"sub.s64 %rd4, %rd10, %rd11", 0, 1, 0, 0xffffffffffffffff},
      {"sub.s16 %h4, %h10, %h11", 0, 1, 0, 0xffff},
      {"neg.s32 %r4, %r10", 0x80000000, 0, 0, 0x80000000},
      {"neg.s32 %r4, %r10", 5, 0, 0, 0xfffffffb},
      {"neg.s64 %rd4, %rd10", 5, 0, 0, 0xfffffffffffffffb},
      {"neg.s16 %h4, %h10", 1, 0, 0, 0xffff},
      {"abs.s32 %r4, %r10", 0xfffffffb, 0, 0, 5},
      {"abs.s64 %rd4, %rd10", 0xfffffffffffffffb, 0, 0, 5},
      {"abs.s16 %h4, %h10", 0xfffb, 0, 0, 5},
      {"sad.s32 %r4, %r10, %r11, %r12", 0xffffffff, 2, 10, 13},
      {"sad.u32 %r4, %r10, %r11, %r12", 0xffffffff, 2, 1, 0xfffffffe},
  });
}

TEST_CASE("products keep the half that is asked for, or both", "[simulator]") {
  checkRows({
      {"mul.lo.u32 %r4, %r10, %r11", 0x10001, 0x10001, 0, 0x20001},
      {"mul.lo.s32 %r4, %r10, %r11", 0xffffffff, 7, 0, 0xfffffff9},
      {"mul.hi.u32 %r4, %r10, %r11", 0xffffffff, 0xffffffff, 0, 0xfffffffe},
      {"mul.hi.s32 %r4, %r10, %r11", 0xffffffff, 0xffffffff, 0, 0},
      {"mul.hi.s32 %r4, %r10, %r11", 0x80000000, 2, 0, 0xffffffff},
      {"mul.lo.s64 %rd4, %rd10, %rd11", 0x100000001, 0x100000001, 0, 0x200000001},
      {"mul.hi.u64 %rd4, %rd10, %rd11", 0xffffffffffffffff, 0xffffffffffffffff, 0, 0xfffffffffffffffe},
      {"mul.hi.s64 %rd4, %rd10, %rd11", 0xffffffffffffffff, 1, 0, 0xffffffffffffffff},
      {"mul.lo.u16 %h4, %h10, %h11", 0x101, 0x101, 0, 0x201},
      {"mul.wide.u32 %rd4, %r10, %r11", 0xffffffff, 0xffffffff, 0, 0xfffffffe00000001},
      {"mul.wide.s32 %rd4, %r10, %r11", 0xffffffff, 2, 0, 0xfffffffffffffffe},
      {"mul.wide.u16 %r4, %h10, %h11", 0xffff, 0xffff, 0, 0xfffe0001},
      {"mul.wide.s16 %r4, %h10, %h11", 0xffff, 2, 0, 0xfffffffe},
      {"mad.lo.s32 %r4, %r10, %r11, %r12", 0xffffffff, 3, 10, 7},
      {"mad.lo.s64 %rd4, %rd10, %rd11, %rd12", 0xffffffffffffffff, 3, 10, 7},
      {"mad.hi.u32 %r4, %r10, %r11, %r12", 0xffffffff, 0xffffffff, 3, 1},
      {"mad.wide.u32 %rd4, %r10, %r11, %rd12", 0xffffffff, 2, 0x100000000, 0x2fffffffe},
      {"mad.wide.s32 %rd4, %r10, %r11, %rd12", 0xffffffff, 2, 0, 0xfffffffffffffffe},
  });
}

TEST_CASE("carries travel between instructions", "[simulator]") {
  checkRows({
      {"add.cc.u32 %r5, %r10, %r11; addc.u32 %r4, 0, 0", 0xffffffff, 1, 0, 1},
      {"add.cc.u32 %r5, %r10, %r11; addc.u32 %r4, 0, 0", 0xfffffffe, 1, 0, 0},
      {"add.cc.s64 %rd5, %rd10, %rd11; addc.cc.s64 %rd5, -1, 0; addc.s64 %rd4, 5, 0", 0xffffffffffffffff, 1, 0, 6},
      {"sub.cc.u32 %r5, %r10, %r11; subc.u32 %r4, 10, 3", 0, 1, 0, 6},
      {"sub.cc.u64 %rd5, %rd10, %rd11; subc.u64 %rd4, 10, 3", 1, 1, 0, 7},
  });
}

TEST_CASE("dot products and products of 24 bits", "[simulator]") {
  checkRows({
      {"dp4a.s32.s32 %r4, %r10, %r11, %r12", 0xff020304, 0x01020304, 10, 38},
      {"dp4a.u32.u32 %r4, %r10, %r11, %r12", 0xff020304, 0x01020304, 10, 294},
      {"dp4a.u32.s32 %r4, %r10, %r11, %r12", 0x000000ff, 0x000000ff, 0, 0xffffff01},
      {"dp2a.lo.s32.s32 %r4, %r10, %r11, %r12", 0xffff0003, 0x00000502, 0, 1},
      {"dp2a.hi.s32.s32 %r4, %r10, %r11, %r12", 0xffff0003, 0x05020000, 0, 1},
      {"mul24.lo.u32 %r4, %r10, %r11", 0xff000002, 3, 0, 6},
      {"mul24.lo.s32 %r4, %r10, %r11", 0x00ffffff, 3, 0, 0xfffffffd},
      {"mul24.hi.u32 %r4, %r10, %r11", 0x00ffffff, 0x00010000, 0, 0x00ffffff},
      {"mad24.lo.u32 %r4, %r10, %r11, %r12", 2, 3, 4, 10},
  });
}

TEST_CASE("division truncates, and does not trap", "[simulator]") {
  checkRows({
      {"div.s32 %r4, %r10, %r11", 0xfffffff9, 2, 0, 0xfffffffd},
      {"div.u32 %r4, %r10, %r11", 0xfffffff9, 2, 0, 0x7ffffffc},
      {"div.s32 %r4, %r10, %r11", 0x80000000, 0xffffffff, 0, 0x80000000},
      {"div.u32 %r4, %r10, %r11", 5, 0, 0, 0xffffffff},
      {"div.s64 %rd4, %rd10, %rd11", 0xfffffffffffffff9, 2, 0, 0xfffffffffffffffd},
      {"div.u64 %rd4, %rd10, %rd11", 0xfffffffffffffff9, 0x100000000, 0, 0xffffffff},
      {"rem.s32 %r4, %r10, %r11", 0xfffffff9, 4, 0, 0xfffffffd},
      {"rem.u32 %r4, %r10, %r11", 0xfffffff9, 4, 0, 1},
      {"rem.s32 %r4, %r10, %r11", 0x80000000, 0xffffffff, 0, 0},
      {"rem.s64 %rd4, %rd10, %rd11", 0xfffffffffffffff9, 4, 0, 0xfffffffffffffffd},
      {"rem.u64 %rd4, %rd10, %rd11", 7, 0, 0, 7},
  });
}

TEST_CASE("least and greatest know signs", "[simulator]") {
  checkRows({
      {"min.s32 %r4, %r10, %r11", 0xffffffff, 1, 0, 0xffffffff},
      {"min.u32 %r4, %r10, %r11", 0xffffffff, 1, 0, 1},
      {"max.s32 %r4, %r10, %r11", 0xffffffff, 1, 0, 1},
      {"max.u32 %r4, %r10, %r11", 0xffffffff, 1, 0, 0xffffffff},
      {"min.s64 %rd4, %rd10, %rd11", 0xffffffffffffffff, 1, 0, 0xffffffffffffffff},
      {"max.u64 %rd4, %rd10, %rd11", 0xffffffffffffffff, 1, 0, 0xffffffffffffffff},
      {"min.s16 %h4, %h10, %h11", 0xffff, 1, 0, 0xffff},
      {"max.u16 %h4, %h10, %h11", 0xffff, 1, 0, 0xffff},
  });
}
