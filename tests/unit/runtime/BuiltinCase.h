// BuiltinCase: random problems for builtins, and a way to run one: every item, in an order of its own, each with
// scratch of exactly the promised size (so that the address sanitizer sees one byte too many), at every CPU level.
#pragma once

#include "tercet/Builtins.h"
#include "tercet/Tensor.h"
#include "tercet/rt/Builtin.h"
#include "tercet/rt/FloatControl.h"

#include <catch2/catch.hpp>

#include <cstring>
#include <limits>
#include <memory>
#include <random>

namespace tercet::test {

inline constexpr float poison = std::numeric_limits<float>::quiet_NaN();

/// Runs items [0, grid0) x [0, grid1) of a builtin, last first.
template <typename Slots>
void runBuiltin(const char *name, const Slots &slots, int64_t grid0, int64_t grid1, CpuFunction kernel = nullptr) {
  const rt::Builtin *builtin = rt::findBuiltin(name);
  REQUIRE(builtin);
  REQUIRE(builtin->slotCount * 8 == sizeof(Slots));
  int64_t block[sizeof(Slots) / 8];
  std::memcpy(block, &slots, sizeof(Slots));
  size_t scratchBytes = builtin->scratchBytes ? size_t(builtin->scratchBytes(block)) : 0;
  for (int64_t item1 = grid1; item1-- > 0;)
    for (int64_t item0 = grid0; item0-- > 0;) {
      std::unique_ptr<char[]> scratch(new char[scratchBytes]); // aligned for any fundamental type
      std::memset(scratch.get(), 0xff, scratchBytes);
      rt::FloatControl control;
      builtin->run({block, item0, item1, 0, scratch.get(), &kernel, nullptr});
    }
}

/// The CPU levels that this machine runs; restores the machine's own when it goes.
class EachLevel {
public:
  ~EachLevel() { rt::limitBuiltinLevel(CpuLevel::v4); }
  template <typename Body> void operator()(Body body) {
    for (CpuLevel level : {CpuLevel::portable, CpuLevel::v3, CpuLevel::v4}) {
      if (level > detectCpuLevel())
        continue;
      rt::limitBuiltinLevel(level);
      INFO("level " << cpuLevelName(level));
      body();
    }
  }
};

class Random {
public:
  explicit Random(unsigned seed) : engine(seed) {}
  int64_t upTo(int64_t most) { return std::uniform_int_distribution<int64_t>(0, most)(engine); }
  int64_t from(int64_t least, int64_t most) { return std::uniform_int_distribution<int64_t>(least, most)(engine); }
  float normal() { return std::normal_distribution<float>()(engine); }
  bool chance(double probability) { return std::bernoulli_distribution(probability)(engine); }
  template <typename T> T pick(std::initializer_list<T> values) {
    return values.begin()[upTo(int64_t(values.size()) - 1)];
  }

private:
  std::mt19937_64 engine;
};

/// A [batch, heads, tokens, dim] tensor with gaps between rows and heads, NaN everywhere but in its elements; rows
/// beyond a batch's length are NaN too.
struct GappedTensor {
  std::vector<char> storage;
  Tensor tensor;

  GappedTensor(Random &random, DType dtype, int64_t batch, int64_t heads, int64_t tokens, int64_t dim,
               const std::vector<int32_t> &lengths) {
    int64_t rowStride = dim + random.upTo(5), headStride = rowStride * tokens + random.upTo(7);
    int64_t batchStride = headStride * heads + random.upTo(9);
    bool tokensFirst = random.chance(0.3); // [batch, tokens, heads, dim] in memory
    if (tokensFirst) {
      headStride = rowStride;
      rowStride = headStride * heads;
      batchStride = rowStride * tokens;
    }
    storage.resize(size_t(batchStride * batch) * dtypeSize(dtype));
    tensor.data = storage.data();
    tensor.dtype = dtype;
    tensor.rank = 4;
    tensor.shape = {batchStride * batch, 1, 1, 1};
    tensor.strides = {1, 0, 0, 0};
    for (int64_t i = 0; i < batchStride * batch; ++i)
      tensor.set(poison, i);
    tensor.shape = {batch, heads, tokens, dim};
    tensor.strides = {batchStride, headStride, rowStride, 1};
    for (int64_t b = 0; b < batch; ++b)
      for (int64_t h = 0; h < heads; ++h)
        for (int64_t n = 0; n < (lengths.empty() ? tokens : lengths[size_t(b)]); ++n)
          for (int64_t c = 0; c < dim; ++c)
            tensor.set(random.normal() * (random.chance(0.05) ? 1e-6f : 1.0f) + 0.5f, b, h, n, c);
  }
};

/// Per-batch lengths in [0, tokens], or none.
inline std::vector<int32_t> randomLengths(Random &random, int64_t batch, int64_t tokens) {
  std::vector<int32_t> lengths;
  if (random.chance(0.5))
    for (int64_t b = 0; b < batch; ++b)
      lengths.push_back(int32_t(random.chance(0.2) ? 0 : random.upTo(tokens)));
  return lengths;
}
inline const int32_t *pointerTo(const std::vector<int32_t> &lengths) {
  return lengths.empty() ? nullptr : lengths.data();
}
inline int64_t lengthOf(const std::vector<int32_t> &lengths, int64_t batch, int64_t tokens) {
  return lengths.empty() ? tokens : lengths[size_t(batch)];
}

inline int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

} // namespace tercet::test
