// wgmma: every way to lay operands out, against a plain product; and the checks on what is in flight.
#include "unit/simulator/AsyncCase.h"

#include <catch2/catch.hpp>

#include <cmath>

using namespace tercet;
using test::AsyncCase;

namespace {

constexpr uint32_t operandBytes = 49152, placeOfB = 16384; // of B in shared memory and in the input; A lies at 0

// One product. Elements are small integers, so that sums are exact in every type.
struct Case {
  const char *types; ///< "f32.bf16.bf16"
  uint32_t columns, elementBytes, depth;
  bool aInRegisters = false, aMajor = false, bMajor = false;
  uint32_t span = 128; ///< bytes of the swizzle; 16: none
  bool adds = false, negateA = false, negateB = false;
};

int valueA(uint32_t row, uint32_t k) { return int((row * 5 + k * 3) % 7) - 3; }
int valueB(uint32_t column, uint32_t k) { return int((column * 3 + k * 5) % 5) - 2; }

uint32_t bitsOf(int value, const std::string &type) {
  float real = float(value);
  uint32_t bits;
  std::memcpy(&bits, &real, 4);
  if (type == "bf16")
    return bits >> 16;
  if (type == "tf32")
    return bits;
  if (type == "s8")
    return uint8_t(int8_t(value));
  // Small formats: sign, exponent and mantissa of an integer up to 3.
  int exponentBits = type == "f16"    ? 5
                     : type == "e4m3" ? 4
                                      : 5,
      mantissaBits = type == "f16"    ? 10
                     : type == "e4m3" ? 3
                                      : 2;
  if (value == 0)
    return 0;
  int magnitude = std::abs(value), exponent = magnitude >= 2 ? 1 : 0, bias = (1 << (exponentBits - 1)) - 1;
  uint32_t mantissa = uint32_t((magnitude << mantissaBits >> exponent) - (1 << mantissaBits));
  return uint32_t(value < 0) << (exponentBits + mantissaBits) | uint32_t(exponent + bias) << mantissaBits | mantissa;
}

// Where element (line of M or N, k) lies: matrices of 8 lines x one span (K-major) or 8 k x one span of lines, packed one after
// another; 16-byte chunks exchanged within 128-byte lines. `next`: distance of matrices along the span's axis.
uint32_t placeOf(const Case &given, bool isMajor, uint32_t lines, uint32_t line, uint32_t k) {
  uint32_t bytes = given.elementBytes, span = given.span, across = (isMajor ? line : k) * bytes,
           along = isMajor ? k : line;
  uint32_t length = isMajor ? given.depth : lines;
  uint32_t address = across / span * (length * span) + along / 8 * (8 * span) + along % 8 * span + across % span;
  uint32_t mask = span / 16 - 1;
  return address ^ ((address >> 7 & mask) << 4);
}

uint64_t descriptor(const Case &given, bool isMajor, uint32_t lines, uint32_t place) {
  uint32_t length = isMajor ? given.depth : lines, group = 8 * given.span, next = length * given.span;
  bool plain = given.span == 16;
  // K-major without swizzle: leading is the next 16 bytes of K, stride the next 8 lines. MN-major without: stride is the next
  // 8 lines of MN, leading the next 8 of K.
  uint32_t leading = plain ? (isMajor ? group : next) : (isMajor ? next : 16), stride = plain && isMajor ? next : group;
  uint64_t mode = given.span == 128 ? 1 : given.span == 64 ? 2 : given.span == 32 ? 3 : 0;
  return (uint64_t{place} >> 4) | uint64_t{leading >> 4} << 16 | uint64_t{stride >> 4} << 32 | mode << 62;
}

std::string listOf(const char *prefix, uint32_t first, uint32_t count) {
  std::string text;
  for (uint32_t i = 0; i < count; ++i)
    text += fmt::format("{}%{}{}", i ? ", " : "", prefix, first + i);
  return "{" + text + "}";
}

struct Program {
  std::string prologue, issue, epilogue;
  AsyncCase given;
};

Program programOf(const Case &c) {
  Program program;
  std::string types = c.types, sum = types.substr(0, 3), typeA = types.substr(4, types.find('.', 4) - 4),
              typeB = types.substr(types.rfind('.') + 1);
  bool isFloat = sum == "f32";
  uint32_t accumulators = sum == "f16" ? c.columns / 4 : c.columns / 2;
  std::vector<std::byte> &in = program.given.in;
  in.assign(operandBytes, std::byte(0));
  auto put = [&](uint32_t at, uint32_t bits) { std::memcpy(in.data() + at, &bits, c.elementBytes); };
  for (uint32_t k = 0; k < c.depth; ++k) {
    for (uint32_t row = 0; row < 64; ++row) // for registers: plain rows
      put(c.aInRegisters ? (row * c.depth + k) * c.elementBytes : placeOf(c, c.aMajor, 64, row, k),
          bitsOf(valueA(row, k), typeA));
    for (uint32_t column = 0; column < c.columns; ++column)
      put(placeOfB + placeOf(c, c.bMajor, c.columns, column, k), bitsOf(valueB(column, k), typeB));
  }
  program.given.config.block = {128, 1, 1};
  program.given.outBytes = 128 * accumulators * 4;
  std::string &text = program.prologue;
  text = fmt::format(
      "mov.u32 %r3, %r0;\nCOPY: setp.ge.u32 %p0, %r3, {}; @%p0 bra COPIED; shl.b32 %r4, %r3, 4; cvt.u64.u32 "
      "%rd3, %r4; add.u64 %rd3, %rd3, %rd0; add.u32 %r4, %r4, %r1;\n"
      "ld.global.v4.u32 {{%r5, %r6, %r7, %r8}}, [%rd3]; st.shared.v4.u32 [%r4], {{%r5, %r6, %r7, %r8}}; "
      "add.u32 %r3, %r3, 128; bra COPY;\nCOPIED: fence.proxy.async; bar.sync 0;\n",
      operandBytes / 16);
  if (c.aInRegisters) // a warp's 16 rows: lane / 4 and + 8, 4 bytes from 4 (lane % 4) and + 16
    text +=
        fmt::format("shr.u32 %r3, %r0, 5; and.b32 %r4, %r0, 31; shr.u32 %r5, %r4, 2; and.b32 %r6, %r4, 3;\n"
                    "mad.lo.u32 %r7, %r3, 16, %r5; mul.lo.u32 %r7, %r7, {0}; mad.lo.u32 %r7, %r6, 4, %r7; add.u32 %r7, "
                    "%r7, %r1;\n"
                    "ld.shared.u32 %r10, [%r7]; ld.shared.u32 %r11, [%r7+{1}]; ld.shared.u32 %r12, [%r7+16]; "
                    "ld.shared.u32 %r13, [%r7+{2}];\n",
                    c.depth * c.elementBytes, 8 * c.depth * c.elementBytes, 8 * c.depth * c.elementBytes + 16);
  for (uint32_t i = 0; i < accumulators; ++i)
    text += isFloat ? fmt::format("mov.f32 %f{}, 0f40A00000;\n", i) // 5
                    : fmt::format("mov.b32 %r{}, {};\n", 100 + i, sum == "f16" ? "0x45004500" : "5");
  text += fmt::format("mov.b64 %rd10, {:#x}; mov.b64 %rd11, {:#x}; setp.ne.u32 %p1, {}, 0;\n",
                      descriptor(c, c.aMajor, 64, 0), descriptor(c, c.bMajor, c.columns, placeOfB), int(c.adds));
  std::string registers = isFloat ? listOf("f", 0, accumulators) : listOf("r", 100, accumulators);
  program.issue = fmt::format("wgmma.mma_async.sync.aligned.m64n{}k{}.{} {}, {}, %rd11, %p1", c.columns, c.depth, types,
                              registers, c.aInRegisters ? "{%r10, %r11, %r12, %r13}" : "%rd10");
  if (sum != "s32")
    program.issue += fmt::format(", {}, {}", c.negateA ? -1 : 1, c.negateB ? -1 : 1);
  if (c.elementBytes == 2)
    program.issue +=
        c.aInRegisters ? fmt::format(", {}", int(c.bMajor)) : fmt::format(", {}, {}", int(c.aMajor), int(c.bMajor));
  program.issue += ";\n";
  program.epilogue = fmt::format("mul.wide.u32 %rd3, %r0, {}; add.u64 %rd3, %rd3, %rd1;\n", accumulators * 4);
  for (uint32_t i = 0; i < accumulators; ++i)
    program.epilogue += isFloat ? fmt::format("st.global.f32 [%rd3+{}], %f{};\n", 4 * i, i)
                                : fmt::format("st.global.u32 [%rd3+{}], %r{};\n", 4 * i, 100 + i);
  return program;
}

const char *fence = "wgmma.fence.sync.aligned;\n", *commit = "wgmma.commit_group.sync.aligned;\n",
           *waitAll = "wgmma.wait_group.sync.aligned 0;\n";

void check(const Case &c, sim::LaunchConfig config) {
  Program program = programOf(c);
  AsyncCase given = program.given;
  given.body = program.prologue + fence + program.issue + commit + waitAll + program.epilogue;
  config.block = {128, 1, 1};
  given.config = config;
  auto result = test::run(given);
  INFO(c.types << " n" << c.columns << " span " << c.span << " registers " << c.aInRegisters << " major " << c.aMajor
               << c.bMajor);
  REQUIRE(result.message() == "ok");
  std::string sum = std::string(c.types).substr(0, 3);
  int wrong = 0;
  for (uint32_t row = 0; row < 64; ++row)
    for (uint32_t column = 0; column < c.columns; ++column) {
      int expected = c.adds ? 5 : 0;
      for (uint32_t k = 0; k < c.depth; ++k)
        expected += valueA(row, k) * valueB(column, k) * (c.negateA != c.negateB ? -1 : 1);
      uint32_t thread = row / 16 * 32 + row % 8 * 4 + column % 8 / 2, half = row % 16 / 8;
      if (sum == "f16") {
        auto bits = result.at<uint16_t>((thread * (c.columns / 4) + column / 8 * 2 + half) * 2 + column % 2);
        double value =
            std::ldexp(double((bits & 0x3ff) + (bits & 0x7c00 ? 0x400 : 0)), std::max(int(bits >> 10 & 31), 1) - 25) *
            (bits & 0x8000 ? -1 : 1);
        wrong += value != expected;
        continue;
      }
      size_t at = thread * (c.columns / 2) + column / 8 * 4 + 2 * half + column % 2;
      wrong += sum == "s32" ? result.at<int32_t>(at) != expected : result.at<float>(at) != float(expected);
    }
  CHECK(wrong == 0);
}

std::string failure(const std::string &body, const AsyncCase &base) {
  AsyncCase given = base;
  given.body = body;
  auto result = test::run(given);
  CHECK(result.status.code() == Code::launchFailed);
  return result.message();
}

} // namespace

TEST_CASE("warpgroup products agree with plain ones for every layout of their operands", "[simulator]") {
  std::vector<Case> cases;
  for (const char *types : {"f32.bf16.bf16", "f32.f16.f16"})
    for (uint32_t span : {16u, 32u, 64u, 128u})
      for (int form = 0; form < 6; ++form)
        cases.push_back({types, 128, 2, 16, form >= 4, (form & 2) != 0 && form < 4, (form & 1) != 0, span});
  for (uint32_t columns : {8u, 24u, 64u, 136u, 192u, 256u})
    cases.push_back({"f32.bf16.bf16", columns, 2, 16});
  cases.push_back({"f32.bf16.bf16", 64, 2, 16, false, true, true, 128, true, true, false});
  cases.push_back({"f32.bf16.bf16", 64, 2, 16, true, false, false, 128, true, false, true});
  cases.push_back({"f16.f16.f16", 64, 2, 16, false, false, false, 128, true});
  for (bool inRegisters : {false, true}) {
    cases.push_back({"f32.tf32.tf32", 64, 4, 8, inRegisters});
    cases.push_back({"s32.s8.s8", 64, 1, 32, inRegisters, false, false, 128, true});
    cases.push_back({"f32.e4m3.e5m2", 64, 1, 32, inRegisters});
  }
  for (size_t i = 0; i < cases.size(); ++i)
    for (const sim::LaunchConfig &config : test::adversarialModes({}))
      if (i < 8 || config.quantum == 0)
        check(cases[i], config);
}

TEST_CASE("accumulators and operands of products in flight are left alone", "[simulator]") {
  Program p = programOf({"f32.bf16.bf16", 64, 2, 16, true});
  auto fails = [&](const std::string &text, const char *why) {
    std::string message = failure(p.prologue + text, p.given);
    INFO(message);
    CHECK(message.find(why) != std::string::npos);
  };
  std::string issue = fence + p.issue + commit;
  fails(issue + "add.f32 %f100, %f3, %f3;\n" + waitAll,
        "reads an accumulator of a matrix product that is still in flight");
  fails(issue + "mov.f32 %f3, 0f00000000;\n" + waitAll, "writes an accumulator");
  fails(issue + "mov.b32 %r11, 0;\n" + waitAll, "writes an operand");
  fails(issue + p.epilogue, "reads an accumulator");
  fails(issue + "wgmma.wait_group.sync.aligned 1;\n" + p.epilogue, "reads an accumulator");
  fails(issue, "exits while the matrix product");
  fails(issue + "st.shared.u32 [%r1+16384], %r0;\n" + waitAll, "still reads");
  fails(p.issue + commit + waitAll, "no wgmma.fence before it");
  fails(fence + std::string("mov.f32 %f3, 0f00000000;\n") + p.issue,
        "accumulator 3 was written since the last wgmma.fence");
  fails(issue + waitAll + "add.f32 %f100, %f3, %f3;\n" + p.issue, "accumulator 3 was read since");
  fails(fence + std::string("mov.b32 %r11, 0;\n") + p.issue, "register 1 of A was written since");
  fails("setp.lt.u32 %p5, %r0, 32; @%p5 bra OUT;\n" + issue + waitAll + "OUT:", "warps of a warpgroup");
  fails("st.shared.u32 [%r1+16384], %r0; bar.sync 0;\n" + issue, "no fence.proxy.async since");
  fails("mov.b64 %rd11, 0x4000004000013fc0;\n" + issue, "lie outside");
  fails("add.s64 %rd11, %rd11, 8;\n" + issue, "does not begin where the swizzle");
}

TEST_CASE("products of a chain take effect in order, whenever they do", "[simulator]") {
  // D = A B, three times added; the first one overwrites.
  Program p = programOf({"f32.bf16.bf16", 64, 2, 16, true}), adding = programOf({"f32.bf16.bf16", 64, 2, 16, true});
  size_t at = adding.issue.find("%p1");
  adding.issue.replace(at, 3, "%p2");
  AsyncCase chain = p.given;
  chain.body = p.prologue + "setp.eq.u32 %p2, 0, 0;\n" + fence + p.issue + adding.issue + commit + adding.issue +
               commit + "wgmma.wait_group.sync.aligned 1;\n" + waitAll + p.epilogue;
  AsyncCase once = p.given;
  once.body = p.prologue + fence + p.issue + commit + waitAll + p.epilogue;
  auto expected = test::run(once);
  REQUIRE(expected.message() == "ok");
  for (sim::LaunchConfig config : test::adversarialModes({}))
    for (uint64_t seed = 0; seed < 4; ++seed) {
      config.block = {128, 1, 1};
      config.seed = seed;
      chain.config = config;
      auto result = test::run(chain);
      REQUIRE(result.message() == "ok");
      for (size_t i = 0; i < 128 * 32; ++i)
        REQUIRE(result.at<float>(i) == 3 * expected.at<float>(i));
    }
}

TEST_CASE("registers move between warpgroups within their CTA's budget", "[simulator]") {
  auto run = [](uint32_t shrink, uint32_t grow, uint32_t block = 384) {
    AsyncCase given;
    given.outBytes = 4;
    given.config.block = {block, 1, 1};
    given.config.order = sim::WarpOrder::seeded;
    given.body = fmt::format("setp.lt.u32 %p0, %r0, 128; @%p0 bra PRODUCER;\nsetmaxnreg.inc.sync.aligned.u32 {};\nbra "
                             "DONE;\nPRODUCER: setmaxnreg.dec.sync.aligned.u32 {};\nDONE:",
                             grow, shrink);
    return test::run(given).message();
  };
  CHECK(run(24, 240) == "ok");
  CHECK(run(40, 232) == "ok");
  CHECK(run(24, 248).find("deadlock") != std::string::npos);
  CHECK(run(24, 248).find("registers of its multiprocessor (setmaxnreg)") != std::string::npos);
  CHECK(run(176, 240).find("decreases to 176 registers per thread from 168") != std::string::npos);
  CHECK(run(24, 160).find("increases to 160") != std::string::npos);
  CHECK(run(20, 240).find("multiple of 8 from 24 to 256") != std::string::npos);
  AsyncCase uneven;
  uneven.outBytes = 4;
  uneven.config.block = {128, 1, 1};
  uneven.body = "setp.lt.u32 %p0, %r0, 32; @%p0 bra DONE; setmaxnreg.dec.sync.aligned.u32 24;\nDONE:";
  CHECK(test::run(uneven).message().find("warpgroup") != std::string::npos);
}
