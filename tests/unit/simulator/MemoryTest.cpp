// Loads and stores of every width, vectors, local memory, atomics; bounds and alignment.
#include "unit/simulator/SimCase.h"

#include <catch2/catch.hpp>

using namespace tercet;
using test::run;
using test::runBody;

namespace {

sim::LaunchConfig threads(uint32_t count) {
  sim::LaunchConfig config;
  config.block = {count, 1, 1};
  return config;
}

// One thread, one input word; what the body leaves in %rd4.
uint64_t leaves(const std::string &body, uint64_t in = 0, const std::string &declarations = "") {
  auto result = run(test::kernelText(body + "\nst.global.u64 [%rd1], %rd4;", declarations), threads(1), {in});
  INFO(body);
  REQUIRE(result.message() == "ok");
  return result.out[0];
}

void violates(const std::string &body, const char *why, sim::LaunchConfig config = threads(32)) {
  INFO(body);
  auto result = run(test::kernelText(body, ".shared .align 16 .b8 buffer[64];"), config);
  CHECK(result.status.code() == Code::launchFailed);
  INFO(result.message());
  CHECK(result.message().find(why) != std::string::npos);
}

} // namespace

TEST_CASE("loads extend by the sign of their type, into registers of any larger width", "[simulator]") {
  constexpr uint64_t bits = 0x8182838485868788;
  CHECK(leaves("ld.global.u8 %h4, [%rd0]; cvt.u64.u16 %rd4, %h4;", bits) == 0x88);
  CHECK(leaves("ld.global.s8 %h4, [%rd0]; cvt.u64.u16 %rd4, %h4;", bits) == 0xff88);
  CHECK(leaves("ld.global.s8 %r4, [%rd0]; cvt.u64.u32 %rd4, %r4;", bits) == 0xffffff88);
  CHECK(leaves("ld.global.s16 %r4, [%rd0+2]; cvt.u64.u32 %rd4, %r4;", bits) == 0xffff8586);
  CHECK(leaves("ld.global.u16 %h4, [%rd0+6]; cvt.u64.u16 %rd4, %h4;", bits) == 0x8182);
  CHECK(leaves("ld.global.s32 %rd4, [%rd0];", bits) == 0xffffffff85868788);
  CHECK(leaves("ld.global.u32 %rd4, [%rd0+4];", bits) == 0x81828384);
  CHECK(leaves("ld.global.nc.L1::no_allocate.L2::128B.v2.u32 {%r4, %r5}, [%rd0]; mov.b64 %rd4, {%r5, %r4};", bits) ==
        0x8586878881828384);
  CHECK(leaves("ld.volatile.global.v4.u16 {%h4, %h5, %h6, %h7}, [%rd0]; mov.b64 %rd4, {%h7, %h6, %h5, %h4};", bits) ==
        0x8788858683848182);
  CHECK(leaves("ld.relaxed.gpu.global.b64 %rd4, [%rd0];", bits) == bits);
}

TEST_CASE("stores write their type's low bytes", "[simulator]") {
  std::string shared = ".shared .align 16 .b8 buffer[64];";
  std::string fill = "mov.u64 %rd5, 0; st.shared.u64 [buffer], %rd5;";
  CHECK(leaves(fill + "mov.u32 %r4, 0x12345678; st.shared.u8 [buffer+1], %r4; ld.shared.u64 %rd4, [buffer];", 0,
               shared) == 0x7800);
  CHECK(leaves(fill + "mov.b16 %h4, 0x1234; st.shared.u16 [buffer+2], %h4; ld.shared.u64 %rd4, [buffer];", 0, shared) ==
        0x12340000);
  CHECK(leaves(fill + "mov.u64 %rd6, 0x123456789; st.shared.u32 [buffer+4], %rd6; ld.shared.u64 %rd4, [buffer];", 0,
               shared) == 0x2345678900000000);
  CHECK(leaves("mov.u32 %r4, 1; mov.u32 %r5, 2; st.shared.v4.u32 [buffer+16], {%r4, %r5, %r4, %r5}; ld.shared.v2.u64 "
               "{%rd5, %rd6}, [buffer+16];"
               "add.u64 %rd4, %rd5, %rd6;",
               0, shared) == 0x400000002);
  // A 64-bit register may hold a shared address.
  CHECK(leaves("mov.u64 %rd5, buffer; add.u64 %rd5, %rd5, 8; mov.u32 %r4, 9; st.shared.u32 [%rd5+4], %r4; "
               "ld.shared.u32 %rd4, [buffer+12];",
               0, shared) == 9);
}

TEST_CASE("local memory is a thread's own", "[simulator]") {
  auto result = runBody(".local .align 8 .b8 depot[16]; .reg .b64 %SP; mov.u64 %SP, depot; cvta.local.u64 %SP, %SP; "
                        "st.u64 [%SP+8], %rd2;\n"
                        "mov.u64 %rd5, depot; ld.local.u64 %rd4, [%rd5+8]; st.global.u64 [%rd1], %rd4;");
  REQUIRE(result.message() == "ok");
  for (size_t i = 0; i < 32; ++i)
    CHECK(result.out[i] == 8 * i);
}

TEST_CASE("atomics take lanes one after another", "[simulator]") {
  std::string shared = ".shared .align 16 .b8 buffer[64];";
  auto updates = [&](const char *update, uint64_t start) {
    auto result = run(test::kernelText(
        fmt::format("mov.u64 %rd5, {:#x}; setp.eq.u32 %p0, %r0, 0; @%p0 st.shared.u64 [buffer], %rd5; bar.sync 0;\n"
                    "cvt.u64.u32 %rd6, %r0; cvt.rn.f32.u32 %f5, %r0; add.u32 %r5, %r0, 1; {}; bar.sync 0;\n"
                    "ld.shared.u64 %rd4, [buffer]; st.global.u64 [%rd1], %rd4;",
                    start, update),
        shared));
    INFO(update);
    REQUIRE(result.message() == "ok");
    return result.out[0];
  };
  CHECK(updates("red.shared.add.u32 [buffer], %r0", 0) == 496);
  CHECK(updates("red.shared.add.u64 [buffer], %rd6", 1) == 497);
  CHECK(updates("red.shared.max.s32 [buffer], %r0", 0xffffffff) == 31);
  CHECK(updates("red.shared.max.u32 [buffer], %r0", 0xffffffff) == 0xffffffff);
  CHECK(updates("red.shared.min.u64 [buffer], %rd6", 5) == 0);
  CHECK(updates("red.shared.or.b32 [buffer], %r0", 0x100) == 0x11f);
  CHECK(updates("red.shared.and.b32 [buffer], %r5", 0xff) == 0);
  CHECK(updates("red.shared.xor.b32 [buffer], %r0", 0) == 0);
  CHECK(updates("red.shared.add.f32 [buffer], %f5", 0) == 0x43f80000); // 496
  CHECK(updates("atom.shared.inc.u32 %r6, [buffer], 9", 0) == 2);
  CHECK(updates("atom.shared.dec.u32 %r6, [buffer], 9", 0) == 8);
  CHECK(updates("atom.shared.exch.b32 %r6, [buffer], %r0", 77) == 31);
  CHECK(updates("atom.relaxed.cta.shared.cas.b32 %r6, [buffer], %r0, %r5", 0) == 32);
  CHECK(updates("red.shared.add.noftz.f16x2 [buffer], 0x3c004000", 0) == 0x50005400);
}

TEST_CASE("a global ticket is drawn once, in the order of CTAs", "[simulator]") {
  sim::LaunchConfig config = threads(1);
  config.grid = {20, 1, 1};
  config.hostThreads = 4;
  auto result =
      runBody("ld.param.u64 %rd5, [in]; atom.global.add.u64 %rd4, [%rd5], 1; st.global.u64 [%rd1], %rd4;", config);
  REQUIRE(result.message() == "ok");
  for (size_t i = 0; i < 20; ++i)
    CHECK(result.out[i] == i);
}

TEST_CASE("accesses outside of their object are violations that name it", "[simulator]") {
  violates("ld.global.u64 %rd4, [%rd0+8];", "0 bytes past the end of allocation 'in' of 256 bytes");
  violates("ld.global.u32 %r4, [%rd0+-4];", "4 bytes at global address");
  violates("mov.u64 %rd5, 64; st.global.u32 [%rd5], %r0;", "outside of every allocation");
  violates("st.shared.u32 [buffer+64], %r0;", "lie outside of the CTA's 64 bytes");
  violates("mov.u32 %r5, -4; st.shared.u32 [%r5], %r0;", "lies outside of the CTA's 64 bytes");
  violates("ld.param.u64 %rd5, [out+8];", "outside of the 16 bytes of the kernel's parameters");
  violates("cvta.param.u64 %rd5, 0; st.u32 [%rd5], %r0;", "cannot be written");
  violates("cvta.to.shared.u64 %rd5, %rd0;", "it is one in .global");
  violates("ld.global.u32 %r4, [%rd0+2];", "not a multiple of 4");
  violates("ld.shared.v4.u32 {%r4, %r5, %r6, %r7}, [buffer+8];", "not a multiple of 16");
}

TEST_CASE("a violation names line, CTA, warp, thread and instruction", "[simulator]") {
  sim::LaunchConfig config = threads(64);
  config.grid = {2, 1, 1};
  auto result = runBody("\nsetp.eq.u32 %p0, %r3, 105;\n@%p0 ld.global.u32 %r4, [%rd0+2];", config);
  CHECK(result.message().find("(kernel k, line 14, CTA (1, 0, 0), warp 1, thread 41)") != std::string::npos);
  REQUIRE(result.status.notes().size() == 1);
  CHECK(result.status.notes()[0].second == "@%p0 ld.global.u32 %r4, [%rd0+2]");
}

TEST_CASE("memory is bounded, named and freed", "[simulator]") {
  sim::Memory memory;
  uint64_t a = memory.allocate(100, "a"), b = memory.allocate(8, "b", 4);
  CHECK(a % 256 == 0);
  CHECK(b % 256 == 4);
  std::byte bytes[8]{};
  CHECK(memory.write(a + 92, bytes).ok());
  CHECK(memory.write(a + 93, bytes).message().find("7 bytes before the end of allocation 'a' of 100 bytes") !=
        std::string::npos);
  CHECK(memory.read(b + 8, bytes).message().find("0 bytes past the end of allocation 'b'") != std::string::npos);
  CHECK(memory.free(a + 1).code() == Code::invalidArgument);
  CHECK(memory.free(a).ok());
  CHECK(memory.read(a, bytes).message().find("before allocation 'b'") != std::string::npos);
}
