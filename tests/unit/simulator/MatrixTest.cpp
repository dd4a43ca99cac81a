// ldmatrix, stmatrix and mma.sync: layouts against plain loops over rows and columns.
#include "tercet/Tensor.h"
#include "unit/simulator/SimCase.h"

#include <catch2/catch.hpp>

using namespace tercet;

namespace {

/// Runs a kernel of one warp on `in` and gives `words` words of output.
std::vector<uint32_t> runWarp(const std::string &body, const std::vector<uint32_t> &in, size_t words,
                              const char *declarations = "") {
  auto module = sim::Module::parse(test::kernelText(body, declarations));
  INFO((module.ok() ? "" : module.status().message()));
  REQUIRE(module.ok());
  std::vector<uint32_t> out(words, 0xdeadbeef);
  auto copy = in;
  sim::Memory memory;
  uint64_t addresses[2] = {memory.adopt(std::as_writable_bytes(std::span(copy)), "in"),
                           memory.adopt(std::as_writable_bytes(std::span(out)), "out")};
  auto report = sim::launch(*module, "k", {}, std::as_bytes(std::span(addresses)), memory);
  INFO((report.ok() ? "" : report.status().message()));
  REQUIRE(report.ok());
  return out;
}

// Loads `count` fragments of the lane from in at word `first`, into registers %r(20 + first) and on; and stores them.
std::string loadWords(int count, int first, int to) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += fmt::format(
        "mad.lo.u32 %r10, {}, 32, %r0; mul.wide.u32 %rd5, %r10, 4; ld.param.u64 %rd6, [in]; add.u64 %rd6, %rd6, %rd5; "
        "ld.global.u32 %r{}, [%rd6];\n",
        first + i, to + i);
  return text;
}
std::string storeWords(int count, int from) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += fmt::format(
        "mad.lo.u32 %r10, {}, 32, %r0; mul.wide.u32 %rd5, %r10, 4; ld.param.u64 %rd6, [out]; add.u64 %rd6, %rd6, %rd5; "
        "st.global.u32 [%rd6], %r{};\n",
        i, from + i);
  return text;
}

std::string registerList(int count, int first) {
  std::string text = "{";
  for (int i = 0; i < count; ++i)
    text += fmt::format("{}%r{}", i ? ", " : "", first + i);
  return text + "}";
}

struct Product {
  const char *types;
  int depth, perRegister, wordsC;
  float (*value)(uint32_t);
  uint32_t (*bits)(float);
};

float halfValue(uint32_t bits) { return halfToFloat(uint16_t(bits)); }
uint32_t halfBits(float value) { return floatToHalf(value); }
float bfloatValue(uint32_t bits) { return bfloat16ToFloat(uint16_t(bits)); }
uint32_t bfloatBits(float value) { return floatToBfloat16(value); }
float wordValue(uint32_t bits) { return std::bit_cast<float>(bits); }
uint32_t wordBits(float value) { return std::bit_cast<uint32_t>(value); }
float byteValue(uint32_t bits) { return float(int8_t(bits)); }
uint32_t byteBits(float value) { return uint32_t(int(value)) & 0xff; }

} // namespace

TEST_CASE("mma multiplies 16 x k by k x 8 fragments", "[simulator]") {
  // Small integers, so that every sum is exact in every format.
  const Product products[] = {
      {"m16n8k16.row.col.f32.bf16.bf16.f32", 16, 2, 4, bfloatValue, bfloatBits},
      {"m16n8k8.row.col.f32.bf16.bf16.f32", 8, 2, 4, bfloatValue, bfloatBits},
      {"m16n8k16.row.col.f32.f16.f16.f32", 16, 2, 4, halfValue, halfBits},
      {"m16n8k16.row.col.f16.f16.f16.f16", 16, 2, 2, halfValue, halfBits},
      {"m16n8k8.row.col.f32.tf32.tf32.f32", 8, 1, 4, wordValue, wordBits},
      {"m16n8k4.row.col.f32.tf32.tf32.f32", 4, 1, 4, wordValue, wordBits},
      {"m16n8k32.row.col.s32.s8.s8.s32", 32, 4, 4, byteValue, byteBits},
      {"m16n8k16.row.col.s32.s8.s8.s32", 16, 4, 4, byteValue, byteBits},
  };
  for (const Product &p : products) {
    INFO(p.types);
    auto a = [](int row, int k) { return float((row * 7 + k * 3) % 11 - 5); };
    auto b = [](int k, int column) { return float((k * 5 + column * 2) % 7 - 3); };
    auto c = [](int row, int column) { return float(row - 2 * column); };
    bool integers = p.perRegister == 4;
    int wordsB = p.depth / (4 * p.perRegister), wordsA = 2 * wordsB;
    std::vector<uint32_t> in(size_t(wordsA + wordsB + p.wordsC) * 32);
    int elementBits = 32 / p.perRegister;
    for (int lane = 0; lane < 32; ++lane) {
      int g = lane / 4, t = lane % 4;
      for (int i = 0; i < wordsA; ++i)
        for (int e = 0; e < p.perRegister; ++e)
          in[size_t(i * 32 + lane)] |= p.bits(a(g + 8 * (i % 2), p.perRegister * t + 4 * p.perRegister * (i / 2) + e))
                                       << (e * elementBits);
      for (int i = 0; i < wordsB; ++i)
        for (int e = 0; e < p.perRegister; ++e)
          in[size_t((wordsA + i) * 32 + lane)] |= p.bits(b(p.perRegister * t + 4 * p.perRegister * i + e, g))
                                                  << (e * elementBits);
      for (int i = 0; i < p.wordsC; ++i) {
        uint32_t &word = in[size_t((wordsA + wordsB + i) * 32 + lane)];
        if (p.wordsC == 2)
          word = p.bits(c(g + 8 * i, 2 * t)) | p.bits(c(g + 8 * i, 2 * t + 1)) << 16;
        else
          word =
              integers ? uint32_t(int(c(g + 8 * (i / 2), 2 * t + i % 2))) : wordBits(c(g + 8 * (i / 2), 2 * t + i % 2));
      }
    }
    // Accumulators of f32 lie in %f registers.
    bool floats = p.wordsC == 4 && !integers;
    std::string moveIn, moveOut, listC = registerList(p.wordsC, 40);
    if (floats) {
      listC = "{%f40, %f41, %f42, %f43}";
      for (int i = 0; i < 4; ++i) {
        moveIn += fmt::format("mov.b32 %f{0}, %r{0};", 40 + i);
        moveOut += fmt::format("mov.b32 %r{0}, %f{0};", 40 + i);
      }
    }
    std::string body = loadWords(wordsA, 0, 20) + loadWords(wordsB, wordsA, 30) +
                       loadWords(p.wordsC, wordsA + wordsB, 40) + moveIn +
                       fmt::format("mma.sync.aligned.{} {}, {}, {}, {};", p.types, listC, registerList(wordsA, 20),
                                   registerList(wordsB, 30), listC) +
                       moveOut + storeWords(p.wordsC, 40);
    auto out = runWarp(body, in, size_t(p.wordsC) * 32);
    for (int row = 0; row < 16; ++row)
      for (int column = 0; column < 8; ++column) {
        float expected = c(row, column);
        for (int k = 0; k < p.depth; ++k)
          expected += a(row, k) * b(k, column);
        int lane = row % 8 * 4 + column / 2;
        uint32_t word = p.wordsC == 2 ? out[size_t(row / 8 * 32 + lane)] >> (column % 2 * 16)
                                      : out[size_t((row / 8 * 2 + column % 2) * 32 + lane)];
        float got = integers ? float(int32_t(word)) : p.wordsC == 2 ? halfValue(word & 0xffff) : wordValue(word);
        CHECK(got == expected);
      }
  }
}

TEST_CASE("ldmatrix and stmatrix are each other's inverse, and transpose", "[simulator]") {
  std::vector<uint32_t> in(4 * 32);
  for (uint32_t i = 0; i < in.size(); ++i)
    in[i] = (2 * i + 1) << 16 | 2 * i;
  const char *shared = ".shared .align 16 .b8 tiles[512];";
  // Words go to shared memory in order: tile j, row r, columns 2 c and 2 c + 1 are word 32 j + 4 r + c.
  std::string fill =
      loadWords(4, 0, 20) +
      "mov.u32 %r6, tiles; shl.b32 %r7, %r0, 2; add.u32 %r7, %r7, %r6;\n"
      "st.shared.u32 [%r7], %r20; st.shared.u32 [%r7+128], %r21; st.shared.u32 [%r7+256], %r22; st.shared.u32 "
      "[%r7+384], %r23; bar.sync 0; shl.b32 %r8, %r0, 4; add.u32 %r8, %r8, %r6;\n";
  auto plain =
      runWarp(fill + "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r30, %r31, %r32, %r33}, [%r8];" + storeWords(4, 30),
              in, 128, shared);
  CHECK(plain == in);
  auto one = runWarp(fill + "ldmatrix.sync.aligned.m8n8.x1.shared::cta.b16 {%r30}, [%r8];" + storeWords(1, 30), in, 32,
                     shared);
  CHECK(std::equal(one.begin(), one.end(), in.begin()));

  auto transposed =
      runWarp(fill + "ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%r30, %r31}, [%r8+256];" + storeWords(2, 30), in,
              64, shared);
  for (uint32_t tile = 0; tile < 2; ++tile)
    for (uint32_t lane = 0; lane < 32; ++lane) {
      uint32_t row = lane / 4, column = lane % 4 * 2; // of the transposed tile: element (column, row) of the stored one
      auto element = [&](uint32_t r, uint32_t c) { return (tile + 2) * 64 + r * 8 + c; };
      CHECK(transposed[tile * 32 + lane] == (element(column + 1, row) << 16 | element(column, row)));
    }

  std::string store =
      loadWords(4, 0, 20) + "mov.u32 %r6, tiles; shl.b32 %r8, %r0, 4; add.u32 %r8, %r8, %r6; mov.u32 %r9, %r8;\n";
  std::string back =
      "bar.sync 0; ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%r30, %r31, %r32, %r33}, [%r8];" + storeWords(4, 30);
  auto twice = runWarp(store + "stmatrix.sync.aligned.m8n8.x4.trans.shared.b16 [%r9], {%r20, %r21, %r22, %r23};" + back,
                       in, 128, shared);
  CHECK(twice == in);
}

TEST_CASE("rows that share banks cost wavefronts", "[simulator]") {
  auto matrixTraffic = [](const char *stride) {
    auto result = test::run(
        test::kernelText(
            fmt::format(
                "mov.u32 %r4, tiles; mad.lo.u32 %r5, %r0, {}, %r4; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {{%r6, "
                "%r7, %r8, %r9}}, [%r5];",
                stride),
            ".shared .align 16 .b8 tiles[8192];"),
        [] {
          sim::LaunchConfig config;
          config.checks.uninitialised = false;
          return config;
        }());
    INFO(result.message());
    REQUIRE(result.status.ok());
    return result.report.sharedMatrix;
  };
  CHECK(matrixTraffic("16").wavefronts == 4);
  CHECK(matrixTraffic("144").wavefronts == 4);
  CHECK(matrixTraffic("128").wavefronts == 32);
  CHECK(matrixTraffic("128").ideal == 4);
  CHECK(matrixTraffic("128").bytes == 512);

  sim::LaunchConfig config;
  config.checks.uninitialised = false;
  auto scalar = test::run(
      test::kernelText(
          "shl.b32 %r4, %r0, 3; ld.shared.u32 %r5, [%r4]; ld.shared.u64 %rd5, [%r4]; ld.shared.u32 %r6, [tiles];",
          ".shared .align 16 .b8 tiles[1024];"),
      config);
  REQUIRE(scalar.message() == "ok");
  CHECK(scalar.report.sharedLoad.wavefronts == 2 + 2 + 1);
  CHECK(scalar.report.sharedLoad.ideal == 1 + 2 + 1);
}

TEST_CASE("matrix instructions need the whole warp", "[simulator]") {
  for (const char *text : {"setp.lt.u32 %p0, %r0, 16; @%p0 mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f4, "
                           "%f5, %f6, %f7}, {%r4, %r5, %r6, "
                           "%r7}, {%r4, %r5}, {%f4, %f5, %f6, %f7};",
                           "setp.lt.u32 %p0, %r0, 16; @%p0 ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r4}, [tiles];"}) {
    auto result = test::run(test::kernelText(text, ".shared .align 16 .b8 tiles[512];"));
    CHECK(result.message().find("have exited") != std::string::npos);
  }
  sim::LaunchConfig config;
  config.block = {48, 1, 1};
  auto result = test::runBody("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f4, %f5, %f6, %f7}, {%r4, %r5, "
                              "%r6, %r7}, {%r4, %r5}, {%f4, %f5, %f6, "
                              "%f7};",
                              config);
  CHECK(result.message().find("have no thread") != std::string::npos);
}
