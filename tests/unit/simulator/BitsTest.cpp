// Logic, shifts beyond the width, funnels, fields, byte permutations, counts.
#include "unit/simulator/OpcodeCase.h"

using tercet::test::checkRows;

TEST_CASE("logic works on words, halves, 64 bits and predicates", "[simulator]") {
  checkRows({
      {"and.b32 %r4, %r10, %r11", 0xff00ff00, 0x0ff00ff0, 0, 0x0f000f00},
      {"or.b32 %r4, %r10, %r11", 0xff00ff00, 0x0ff00ff0, 0, 0xfff0fff0},
      {"xor.b32 %r4, %r10, %r11", 0xff00ff00, 0x0ff00ff0, 0, 0xf0f0f0f0},
      {"not.b32 %r4, %r10", 0xff00ff00, 0, 0, 0x00ff00ff},
      {"and.b64 %rd4, %rd10, %rd11", 0xff00000000000001, 0x8100000000000003, 0, 0x8100000000000001},
      {"or.b64 %rd4, %rd10, %rd11", 0xff00000000000001, 2, 0, 0xff00000000000003},
      {"xor.b64 %rd4, %rd10, -1", 0xff00000000000001, 0, 0, 0x00fffffffffffffe},
      {"not.b64 %rd4, %rd10", 0, 0, 0, 0xffffffffffffffff},
      {"not.b16 %h4, %h10", 0xff00, 0, 0, 0x00ff},
      {"xor.b16 %h4, %h10, %h11", 0xffff, 1, 0, 0xfffe},
      {"and.pred %p4, %p10, %p11", 1, 0, 0, 0},
      {"or.pred %p4, %p10, %p11", 1, 0, 0, 1},
      {"xor.pred %p4, %p10, %p11", 1, 1, 0, 0},
      {"not.pred %p4, %p10", 0, 0, 0, 1},
      {"lop3.b32 %r4, %r10, %r11, %r12, 0xe8", 0xf0f0f0f0, 0xcccccccc, 0xaaaaaaaa, 0xe8e8e8e8},
      {"lop3.b32 %r4, %r10, %r11, %r12, 0x1e", 0xf0f0f0f0, 0xcccccccc, 0xaaaaaaaa, 0x1e1e1e1e},
  });
}

TEST_CASE("shifts beyond the width leave zeros or signs", "[simulator]") {
  checkRows({
      {"shl.b32 %r4, %r10, %r11", 3, 31, 0, 0x80000000},
      {"shl.b32 %r4, %r10, %r11", 3, 32, 0, 0},
      {"shl.b32 %r4, %r10, %r11", 3, 0xffffffff, 0, 0},
      {"shl.b64 %rd4, %rd10, %r11", 3, 63, 0, 0x8000000000000000},
      {"shl.b64 %rd4, %rd10, %r11", 3, 64, 0, 0},
      {"shl.b16 %h4, %h10, %r11", 0xffff, 8, 0, 0xff00},
      {"shl.b16 %h4, %h10, %r11", 0xffff, 16, 0, 0},
      {"shr.u32 %r4, %r10, %r11", 0x80000000, 31, 0, 1},
      {"shr.u32 %r4, %r10, %r11", 0x80000000, 32, 0, 0},
      {"shr.s32 %r4, %r10, %r11", 0x80000000, 4, 0, 0xf8000000},
      {"shr.s32 %r4, %r10, %r11", 0x80000000, 200, 0, 0xffffffff},
      {"shr.b32 %r4, %r10, %r11", 0x80000000, 4, 0, 0x08000000},
      {"shr.u64 %rd4, %rd10, %r11", 0x8000000000000000, 63, 0, 1},
      {"shr.u64 %rd4, %rd10, %r11", 0x8000000000000000, 64, 0, 0},
      {"shr.s64 %rd4, %rd10, %r11", 0x8000000000000000, 99, 0, 0xffffffffffffffff},
      {"shr.s16 %h4, %h10, %r11", 0x8000, 4, 0, 0xf800},
      {"shr.u16 %h4, %h10, %r11", 0x8000, 4, 0, 0x0800},
      {"shf.l.wrap.b32 %r4, %r10, %r11, %r12", 0x80000001, 0x12345678, 4, 0x23456788},
      {"shf.l.wrap.b32 %r4, %r10, %r11, %r12", 0x80000001, 0x12345678, 36, 0x23456788},
      {"shf.l.clamp.b32 %r4, %r10, %r11, %r12", 0x80000001, 0x12345678, 36, 0x80000001},
      {"shf.r.wrap.b32 %r4, %r10, %r11, %r12", 0x80000001, 0x12345678, 4, 0x88000000},
      {"shf.r.clamp.b32 %r4, %r10, %r11, %r12", 0x80000001, 0x12345678, 40, 0x12345678},
  });
}

TEST_CASE("fields are inserted and extracted", "[simulator]") {
  checkRows({
      {"bfi.b32 %r4, %r10, %r11, 8, 8", 0xabcd, 0xffffffff, 0, 0xffffcdff},
      {"bfi.b32 %r4, %r10, %r11, 0, 32", 0xabcd, 0xffffffff, 0, 0xabcd},
      {"bfi.b32 %r4, %r10, %r11, 40, 8", 0xabcd, 0x12, 0, 0x12},
      {"bfi.b32 %r4, %r10, %r11, 4, 0", 0xabcd, 0x12, 0, 0x12},
      {"bfi.b64 %rd4, %rd10, %rd11, 60, 4", 0x5, 0xffffffffffffffff, 0, 0x5fffffffffffffff},
      {"bfe.u32 %r4, %r10, 8, 8", 0x1234f678, 0, 0, 0xf6},
      {"bfe.s32 %r4, %r10, 8, 8", 0x1234f678, 0, 0, 0xfffffff6},
      {"bfe.s32 %r4, %r10, 28, 8", 0xf0000000, 0, 0, 0xffffffff},
      {"bfe.u32 %r4, %r10, 28, 8", 0xf0000000, 0, 0, 0xf},
      {"bfe.s32 %r4, %r10, 4, 0", 0xffffffff, 0, 0, 0},
      {"bfe.u64 %rd4, %rd10, 32, 16", 0x1234567800000000, 0, 0, 0x5678},
      {"bfe.s64 %rd4, %rd10, 60, 4", 0x8000000000000000, 0, 0, 0xfffffffffffffff8},
  });
}

TEST_CASE("bytes are permuted, bits are counted", "[simulator]") {
  checkRows({
      {"prmt.b32 %r4, %r10, %r11, 0x5410", 0x33221100, 0x77665544, 0, 0x55441100},
      {"prmt.b32 %r4, %r10, %r11, 0x7632", 0x33221100, 0x77665544, 0, 0x77663322},
      {"prmt.b32 %r4, %r10, %r11, 0x0123", 0x33221100, 0, 0, 0x00112233},
      {"prmt.b32 %r4, %r10, %r11, 0xba98", 0x80ff7f00, 0, 0, 0xffff0000},
      {"popc.b32 %r4, %r10", 0xf00f0001, 0, 0, 9},
      {"popc.b64 %r4, %rd10", 0xf00f000100000001, 0, 0, 10},
      {"clz.b32 %r4, %r10", 0x00010000, 0, 0, 15},
      {"clz.b32 %r4, %r10", 0, 0, 0, 32},
      {"clz.b64 %r4, %rd10", 1, 0, 0, 63},
      {"brev.b32 %r4, %r10", 0x00000003, 0, 0, 0xc0000000},
      {"brev.b64 %rd4, %rd10", 1, 0, 0, 0x8000000000000000},
      {"bfind.u32 %r4, %r10", 0x00010000, 0, 0, 16},
      {"bfind.u32 %r4, %r10", 0, 0, 0, 0xffffffff},
      {"bfind.s32 %r4, %r10", 0xffffff00, 0, 0, 7},
      {"bfind.shiftamt.u32 %r4, %r10", 0x00010000, 0, 0, 15},
      {"bfind.u64 %r4, %rd10", 0x100000000, 0, 0, 32},
  });
}
