#include "Case.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace tercet::conformance {

namespace {

class Generator {
public:
  explicit Generator(const std::string &name) {
    for (char letter : name)
      state = (state ^ uint8_t(letter)) * 0x100000001b3u;
  }
  uint32_t next() { // SplitMix64
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return uint32_t((z ^ (z >> 31)) >> 32);
  }
  int small() { return int(next() % 9) - 4; }

private:
  uint64_t state = 0xcbf29ce484222325u;
};

uint32_t anyFloat(Generator &random) {
  uint32_t bits = random.next(), kind = random.next() % 32;
  constexpr uint32_t special[] = {0,          0x80000000, 0x7f800000, 0xff800000, 0x7fc00000,
                                  0x00000001, 0x807fffff, 0x7f7fffff, 0x3f800000, 0xbf000000};
  if (kind == 0)
    return special[bits % std::size(special)];
  uint32_t exponent = 127 - 20 + bits % 40;
  return (random.next() & 0x807fffff) | exponent << 23;
}

// A small integer in a format of `exponentBits` and `mantissaBits`.
uint32_t integerBits(int value, int exponentBits, int mantissaBits) {
  if (value == 0)
    return 0;
  uint32_t magnitude = uint32_t(std::abs(value)), exponent = uint32_t(std::bit_width(magnitude)) - 1;
  uint32_t mantissa = (magnitude << mantissaBits >> exponent) - (1u << mantissaBits);
  uint32_t bias = (1u << (exponentBits - 1)) - 1;
  return uint32_t(value < 0) << (exponentBits + mantissaBits) | (exponent + bias) << mantissaBits | mantissa;
}

uint32_t nextWord(Generator &random, Fill fill) {
  auto halves = [&](int exponentBits, int mantissaBits) {
    uint32_t low = integerBits(random.small(), exponentBits, mantissaBits);
    return low | integerBits(random.small(), exponentBits, mantissaBits) << 16;
  };
  switch (fill) {
  case Fill::bits:
    return random.next();
  case Fill::floats:
    return anyFloat(random);
  case Fill::unitFloats:
    return std::bit_cast<uint32_t>(float(int32_t(random.next())) / 2147483648.0f);
  case Fill::smallBf16:
    return halves(8, 7);
  case Fill::smallF16:
    return halves(5, 10);
  case Fill::smallTf32:
    return std::bit_cast<uint32_t>(float(random.small()));
  case Fill::smallS8:
  case Fill::smallE4m3: {
    uint32_t word = 0;
    for (int i = 0; i < 4; ++i) {
      int value = random.small();
      word |= (fill == Fill::smallS8 ? uint32_t(uint8_t(value)) : integerBits(value, 4, 3)) << (8 * i);
    }
    return word;
  }
  case Fill::randomBf16: {
    auto half = [&] { return std::bit_cast<uint32_t>(float(int32_t(random.next())) / 1073741824.0f) >> 16; };
    uint32_t low = half();
    return low | half() << 16;
  }
  }
  return 0;
}

} // namespace

const std::vector<Case> &allCases() {
  static const std::vector<Case> cases = [] {
    std::vector<Case> all;
    addMoves(all);
    addRounding(all);
    addAsync(all);
    addProducts(all);
    return all;
  }();
  return cases;
}

std::vector<uint8_t> inputOf(const Case &given) {
  Generator random(given.name);
  std::vector<uint8_t> bytes(given.inBytes);
  for (size_t at = 0; at + 4 <= bytes.size(); at += 4) {
    uint32_t word = nextWord(random, given.fill);
    std::memcpy(bytes.data() + at, &word, 4);
  }
  return bytes;
}

std::string kernelText(const Case &given) {
  return fmt::format(".version 8.0\n.target {}\n.address_size 64\n.extern .shared .align 1024 .b8 memory[];\n"
                     ".visible .entry conformance(.param .u64 in, .param .u64 out{})\n.maxntid {}, 1, 1\n{{\n"
                     ".reg .pred %p<16>; .reg .b16 %h<64>; .reg .b32 %r<300>; .reg .f32 %f<300>; .reg .b64 %rd<64>;\n"
                     "ld.param.u64 %rd0, [in]; ld.param.u64 %rd1, [out]; cvta.to.global.u64 %rd0, %rd0; "
                     "cvta.to.global.u64 %rd1, %rd1;\n"
                     "{}mov.u32 %r0, %tid.x; mov.u32 %r1, memory;\n{}\nret;\n}}\n",
                     given.needs == 900  ? "sm_90a"
                     : given.needs == 90 ? "sm_90"
                                         : "sm_80",
                     given.map ? ", .param .align 64 .b8 map[128]" : "", given.threads,
                     given.map ? "mov.b64 %rd2, map; cvta.param.u64 %rd2, %rd2;\n" : "", given.body);
}

std::string loadShared(size_t bytes, int threads, size_t to, bool isAsync) {
  return fmt::format(
      "mov.u32 %r290, %r0;\nLOAD: setp.ge.u32 %p10, %r290, {}; @%p10 bra LOADED;\n"
      "shl.b32 %r291, %r290, 4; cvt.u64.u32 %rd60, %r291; add.u64 %rd60, %rd60, %rd0; add.u32 %r291, %r291, %r1;\n"
      "ld.global.v4.u32 {{%r292, %r293, %r294, %r295}}, [%rd60]; st.shared.v4.u32 [%r291+{}], {{%r292, %r293, "
      "%r294, %r295}};\nadd.u32 %r290, %r290, {}; bra LOAD;\nLOADED: {}bar.sync 0;\n",
      bytes / 16, to, threads, isAsync ? "fence.proxy.async; " : "");
}

std::string storeShared(size_t bytes, int threads, size_t from) {
  return fmt::format(
      "bar.sync 0; mov.u32 %r290, %r0;\nSTORE: setp.ge.u32 %p10, %r290, {}; @%p10 bra STORED;\n"
      "shl.b32 %r291, %r290, 4; cvt.u64.u32 %rd60, %r291; add.u64 %rd60, %rd60, %rd1; add.u32 %r291, %r291, %r1;\n"
      "ld.shared.v4.u32 {{%r292, %r293, %r294, %r295}}, [%r291+{}]; st.global.v4.u32 [%rd60], {{%r292, %r293, "
      "%r294, %r295}};\nadd.u32 %r290, %r290, {}; bra STORE;\nSTORED:\n",
      bytes / 16, from, threads);
}

std::string storeRegisters(const char *prefix, int first, int count) {
  std::string text = fmt::format("mul.wide.u32 %rd60, %r0, {}; add.u64 %rd60, %rd60, %rd1;\n", 4 * count);
  for (int i = 0; i < count; ++i)
    text +=
        fmt::format("st.global.{} [%rd60+{}], %{}{};\n", prefix[0] == 'f' ? "f32" : "b32", 4 * i, prefix, first + i);
  return text;
}

std::string listOf(const char *prefix, int first, int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += fmt::format("{}%{}{}", i ? ", " : "", prefix, first + i);
  return "{" + text + "}";
}

} // namespace tercet::conformance
