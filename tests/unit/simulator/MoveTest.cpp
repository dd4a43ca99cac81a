// mov with packing, comparisons, selections, addresses of variables and generic addresses.
#include "unit/simulator/OpcodeCase.h"

using namespace tercet;
using test::checkRows;

TEST_CASE("registers are packed and unpacked lowest part first", "[simulator]") {
  checkRows({
      {"mov.b32 %r4, {%h10, %h11}", 0x1234, 0x5678, 0, 0x56781234},
      {"mov.b64 %rd4, {%r10, %r11}", 0x12345678, 0x9abcdef0, 0, 0x9abcdef012345678},
      {"mov.b64 %rd4, {%h10, %h11, %h12, %h10}", 1, 2, 3, 0x0001000300020001},
      {"mov.b32 {%h4, %h5}, %r10", 0x56781234, 0, 0, 0x1234},
      {"mov.b32 {_, %h4}, %r10", 0x56781234, 0, 0, 0x5678},
      {"mov.b64 {%r5, %r4}, %rd10", 0x9abcdef012345678, 0, 0, 0x9abcdef0},
      {"mov.f32 %f4, 0fBF800000", 0, 0, 0, 0xbf800000},
      {"mov.f32 %f4, 1.5", 0, 0, 0, 0x3fc00000},
      {"mov.f64 %d4, 0d3FF0000000000000", 0, 0, 0, 0x3ff0000000000000},
      {"mov.b32 %r4, -1", 0, 0, 0, 0xffffffff},
      {"mov.u64 %rd4, -1", 0, 0, 0, 0xffffffffffffffff},
      {"mov.b16 %h4, -2", 0, 0, 0, 0xfffe},
      {"mov.pred %p4, %p10", 1, 0, 0, 1},
  });
}

TEST_CASE("comparisons are ordered unless they say otherwise", "[simulator]") {
  constexpr uint64_t one = 0x3f800000, quietNan = 0x7fc00000;
  checkRows({
      {"setp.lt.s32 %p4, %r10, %r11", 0xffffffff, 1, 0, 1},
      {"setp.lt.u32 %p4, %r10, %r11", 0xffffffff, 1, 0, 0},
      {"setp.hi.u32 %p4, %r10, %r11", 0xffffffff, 1, 0, 1},
      {"setp.ls.u32 %p4, %r10, %r11", 1, 1, 0, 1},
      {"setp.ge.s64 %p4, %rd10, %rd11", 0xffffffffffffffff, 0, 0, 0},
      {"setp.gt.u64 %p4, %rd10, %rd11", 0xffffffffffffffff, 0, 0, 1},
      {"setp.eq.b64 %p4, %rd10, %rd11", 0x100000001, 1, 0, 0},
      {"setp.eq.b32 %p4, %r10, %r11", 0x100000001, 1, 0, 1},
      {"setp.lt.s16 %p4, %h10, %h11", 0xffff, 1, 0, 1},
      {"setp.ne.u16 %p4, %h10, %h11", 0xffff, 1, 0, 1},
      {"setp.eq.f32 %p4, %f10, %f11", 0, 0x80000000, 0, 1},
      {"setp.eq.f32 %p4, %f10, %f11", quietNan, quietNan, 0, 0},
      {"setp.ne.f32 %p4, %f10, %f11", quietNan, one, 0, 0},
      {"setp.neu.f32 %p4, %f10, %f11", quietNan, one, 0, 1},
      {"setp.equ.f32 %p4, %f10, %f11", quietNan, one, 0, 1},
      {"setp.ltu.f32 %p4, %f10, %f11", quietNan, one, 0, 1},
      {"setp.leu.f32 %p4, %f10, %f11", 0x40000000, one, 0, 0},
      {"setp.gtu.f32 %p4, %f10, %f11", one, one, 0, 0},
      {"setp.geu.f32 %p4, %f10, %f11", one, one, 0, 1},
      {"setp.num.f32 %p4, %f10, %f11", one, quietNan, 0, 0},
      {"setp.nan.f32 %p4, %f10, %f11", one, quietNan, 0, 1},
      {"setp.gt.ftz.f32 %p4, %f10, %f11", 1, 0, 0, 0},
      {"setp.gt.f32 %p4, %f10, %f11", 1, 0, 0, 1},
      {"setp.lt.f64 %p4, %d10, %d11", 0xbff0000000000000, 0x3ff0000000000000, 0, 1},
      {"setp.gt.f16 %p4, %h10, %h11", 0x3c00, 0xbc00, 0, 1},
      {"setp.gt.bf16 %p4, %h10, %h11", 0x3f80, 0x4000, 0, 0},
      {"setp.lt.and.s32 %p4, %r10, %r11, %p12", 0, 1, 0, 0},
      {"setp.lt.and.s32 %p4, %r10, %r11, !%p12", 0, 1, 0, 1},
      {"setp.lt.or.s32 %p4, %r10, %r11, %p12", 2, 1, 1, 1},
      {"setp.lt.xor.s32 %p4, %r10, %r11, %p12", 0, 1, 1, 0},
      {"setp.lt.s32 %p5|%p4, %r10, %r11", 0, 1, 0, 0},
      {"setp.lt.and.s32 %p5|%p4, %r10, %r11, %p12", 2, 1, 1, 1},
      {"set.lt.u32.s32 %r4, %r10, %r11", 0, 1, 0, 0xffffffff},
      {"set.lt.f32.s32 %f4, %r10, %r11", 0, 1, 0, one},
      {"selp.b32 %r4, %r10, %r11, %p12", 5, 6, 1, 5},
      {"selp.f32 %f4, %f10, 0f3F800000, %p12", 5, 6, 0, one},
      {"selp.b64 %rd4, %rd10, -1, %p12", 5, 6, 0, 0xffffffffffffffff},
      {"selp.b16 %h4, %h10, %h11, %p12", 5, 6, 0, 6},
  });
}

TEST_CASE("special registers know their place", "[simulator]") {
  sim::LaunchConfig config;
  config.block = {4, 3, 2};
  config.grid = {2, 3, 1};
  auto result = test::runBody(
      "mov.u32 %r4, %tid.x; mov.u32 %r5, %tid.y; mov.u32 %r6, %tid.z; mov.u32 %r7, %ctaid.y; mov.u32 %r8, %laneid;\n"
      "mov.u32 %r9, %nctaid.y; mad.lo.u32 %r4, %r5, 10, %r4; mad.lo.u32 %r4, %r6, 100, %r4; mad.lo.u32 %r4, %r7, 1000, "
      "%r4;\n mad.lo.u32 %r4, %r8, 10000, %r4; mad.lo.u32 %r4, %r9, 1000000, %r4; cvt.u64.u32 %rd4, %r4;\n"
      "mov.u32 %r10, %ctaid.y; mad.lo.u32 %r10, %r10, 2, %r1; mad.lo.u32 %r10, %r10, 24, %r8; mul.wide.u32 %rd5, %r10, "
      "8;\n"
      "ld.param.u64 %rd6, [out]; add.u64 %rd6, %rd6, %rd5; st.global.u64 [%rd6], %rd4;",
      config);
  // The output's address in kernelText counts x only; this body makes its own.
  REQUIRE(result.message() == "ok");
  CHECK(result.out[0] == 3000000);
  CHECK(result.out[23] == 3230123);
  CHECK(result.out[48 + 5] == 3000000 + 50000 + 1000 + 11);
}

TEST_CASE("lane masks and the active mask", "[simulator]") {
  auto result = test::runBody(
      "mov.u32 %r4, %lanemask_lt; mov.u32 %r5, %lanemask_ge; setp.lt.u32 %p0, %r0, 4; @%p0 activemask.b32 %r6;\n"
      "mov.b64 %rd4, {%r4, %r5}; @%p0 cvt.u64.u32 %rd4, %r6; st.global.u64 [%rd1], %rd4;");
  REQUIRE(result.message() == "ok");
  CHECK(result.out[3] == 0xf);
  CHECK(result.out[5] == 0xffffffe00000001f);
}

TEST_CASE("generic addresses find their space", "[simulator]") {
  std::string text = test::kernelText(
      "mov.u64 %rd4, table; ld.global.u32 %r4, [%rd4+4]; mov.u64 %rd5, numbers; ld.const.u32 %r5, [%rd5+8];\n"
      "mov.u32 %r6, buffer; st.shared.u32 [%r6+4], %r4; mov.u64 %rd6, buffer; cvta.shared.u64 %rd7, %rd6;\n"
      "ld.u32 %r7, [%rd7+4]; cvta.to.shared.u64 %rd8, %rd7; ld.shared.u32 %r8, [%rd8+4];\n"
      "isspacep.shared %p0, %rd7; isspacep.global %p1, %rd7; selp.u32 %r9, 1, 0, %p0; selp.u32 %r10, 2, 0, %p1;\n"
      "cvta.const.u64 %rd9, %rd5; ld.u32 %r11, [%rd9]; mov.u64 %rd10, in; cvta.param.u64 %rd10, %rd10; ld.u64 %rd11, "
      "[%rd10]; ld.param.u64 %rd12, [in]; setp.eq.u64 %p2, %rd11, %rd12; selp.u32 %r12, 100, 0, %p2;\n"
      "add.u32 %r4, %r7, %r8; add.u32 %r4, %r4, %r5; add.u32 %r4, %r4, %r9; add.u32 %r4, %r4, %r10; add.u32 %r4, %r4, "
      "%r11; add.u32 %r4, %r4, %r12; cvt.u64.u32 %rd4, %r4; st.global.u64 [%rd1], %rd4;",
      ".global .align 4 .u32 table[4] = {1, 20, 3, 4};\n.const .align 4 .b32 numbers[3] = {1000, 0, "
      "-5};\n.shared .align 16 .b8 buffer[16];");
  sim::LaunchConfig config;
  config.block = {1, 1, 1};
  auto result = test::run(text, config);
  REQUIRE(result.message() == "ok");
  CHECK(result.out[0] == 20 + 20 - 5 + 1 + 0 + 1000 + 100);
}
