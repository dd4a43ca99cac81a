// The dense attention kernels that the compiler emits, run from the PTX that NVRTC makes of them, against attention in double.
#include "gpu/DenseCase.h"
#include "tercet/sim/Launch.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <random>

using namespace tercet;

namespace {

struct Shape {
  int64_t batch = 1, heads = 1, keyHeads = 1, queries = 64, keys = 64, dim = 64;
  std::vector<int32_t> queryLengths, keyLengths; ///< per batch; empty: all
};

struct Array {
  std::vector<uint16_t> bits;
  int64_t heads, rows, dim;
  double at(int64_t b, int64_t h, int64_t row, int64_t column) const {
    return bfloat16ToFloat(bits[size_t(((b * heads + h) * rows + row) * dim + column)]);
  }
};

/// Random numbers, and NaN in the rows at or beyond the batch's length.
Array make(const Shape &shape, int64_t heads, int64_t rows, const std::vector<int32_t> &lengths, unsigned seed) {
  Array array{std::vector<uint16_t>(size_t(shape.batch * heads * rows * shape.dim)), heads, rows, shape.dim};
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  for (size_t i = 0; i < array.bits.size(); ++i) {
    int64_t row = int64_t(i) / shape.dim % rows, batch = int64_t(i) / (heads * rows * shape.dim);
    bool live = lengths.empty() || row < lengths[size_t(batch)];
    array.bits[i] = live ? floatToBfloat16(normal(random)) : 0x7fc0;
  }
  return array;
}

/// The kernel's parameters: pointer, strides of batch, head and row for q, k, v, o and lse; lengths; sizes; the group of
/// heads, here all; scale.
struct Parameters {
  uint64_t tensors[5][4];
  uint64_t queryLengths, keyLengths;
  uint64_t queries, keys, headsPerKeyHead, keyHeads, firstPair;
  double scale;
};

struct Outcome {
  double error;      ///< relative, of o
  double largestLse; ///< absolute difference
  bool emptyRows;    ///< rows beyond a length, or without a key, are 0 with an LSE of -infinity
  sim::LaunchReport report;
};

Outcome attend(const sim::Module &module, const Shape &shape, int64_t sharedBytes, sim::LaunchConfig config) {
  Array q = make(shape, shape.heads, shape.queries, shape.queryLengths, 1),
        k = make(shape, shape.keyHeads, shape.keys, shape.keyLengths, 2),
        v = make(shape, shape.keyHeads, shape.keys, shape.keyLengths, 3);
  Array o{std::vector<uint16_t>(q.bits.size(), 0xabcd), shape.heads, shape.queries, shape.dim};
  std::vector<float> lse(size_t(shape.batch * shape.heads * shape.queries), -7);
  auto queryLengths = shape.queryLengths, keyLengths = shape.keyLengths;
  sim::Memory memory;
  auto adopt = [&](auto &values, const char *name) {
    return values.empty() ? 0 : memory.adopt(std::as_writable_bytes(std::span(values)), name);
  };
  Parameters p{};
  auto describe = [&](int number, uint64_t address, const Array &array) {
    uint64_t strides[4] = {address, uint64_t(array.heads * array.rows * array.dim), uint64_t(array.rows * array.dim),
                           uint64_t(array.dim)};
    std::copy(strides, strides + 4, p.tensors[number]);
  };
  describe(0, adopt(q.bits, "q"), q);
  describe(1, adopt(k.bits, "k"), k);
  describe(2, adopt(v.bits, "v"), v);
  describe(3, adopt(o.bits, "o"), o);
  describe(4, adopt(lse, "lse"), Array{{}, shape.heads, shape.queries, 1});
  p.queryLengths = adopt(queryLengths, "q_len");
  p.keyLengths = adopt(keyLengths, "k_len");
  p.queries = uint64_t(shape.queries);
  p.keys = uint64_t(shape.keys);
  p.headsPerKeyHead = uint64_t(shape.heads / shape.keyHeads);
  p.keyHeads = uint64_t(shape.keyHeads);
  p.scale = 1 / std::sqrt(double(shape.dim));
  REQUIRE(module.kernel("attend"));
  REQUIRE(module.kernel("attend")->parameterBytes == sizeof p);

  config.grid = {uint32_t((shape.queries + 63) / 64), uint32_t(shape.heads * shape.batch), 1};
  config.block = module.kernel("attend")->maxThreads;
  config.dynamicShared = uint32_t(sharedBytes);
  auto report = sim::launch(module, "attend", config, std::as_bytes(std::span(&p, 1)), memory);
  INFO((report.ok() ? "" : report.status().message()));
  REQUIRE(report.ok());

  Outcome outcome{0, 0, true, *report};
  double difference = 0, norm = 0;
  for (int64_t b = 0; b < shape.batch; ++b)
    for (int64_t h = 0; h < shape.heads; ++h)
      for (int64_t i = 0; i < shape.queries; ++i) {
        size_t row = size_t((b * shape.heads + h) * shape.queries + i);
        if (!queryLengths.empty() && i >= queryLengths[size_t(b)]) {
          outcome.emptyRows &= lse[row] == -HUGE_VALF && o.bits[row * size_t(shape.dim)] == 0;
          continue;
        }
        int64_t keys = keyLengths.empty() ? shape.keys : keyLengths[size_t(b)],
                keyHead = h / (shape.heads / shape.keyHeads);
        std::vector<double> weights(static_cast<size_t>(keys));
        double most = -HUGE_VAL, sum = 0;
        for (int64_t j = 0; j < keys; ++j) {
          double dot = 0;
          for (int64_t d = 0; d < shape.dim; ++d)
            dot += q.at(b, h, i, d) * k.at(b, keyHead, j, d);
          weights[size_t(j)] = dot * p.scale;
          most = std::max(most, weights[size_t(j)]);
        }
        for (double &weight : weights)
          sum += weight = std::exp(weight - most);
        if (keys)
          outcome.largestLse = std::max(outcome.largestLse, std::fabs(most + std::log(sum) - lse[row]));
        else
          outcome.emptyRows &= lse[row] == -HUGE_VALF;
        for (int64_t d = 0; d < shape.dim; ++d) {
          double expected = 0;
          for (int64_t j = 0; j < keys; ++j)
            expected += weights[size_t(j)] / sum * v.at(b, keyHead, j, d);
          double got = o.at(b, h, i, d);
          difference += (got - expected) * (got - expected);
          norm += expected * expected;
        }
      }
  outcome.error = norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
  return outcome;
}

struct Compiled {
  Result<sim::Module> module;
  int64_t sharedBytes;
};

Compiled compile(const char *target, int64_t headDim) {
  test::DenseCase dense;
  auto cubin = dense.emit(target, headDim, "cubin");
  REQUIRE(cubin.ok());
  Compiled compiled{sim::Module::parse(dense.text(target, headDim, "ptx")), cubin->kernels[0].sharedBytes};
  INFO((compiled.module.ok() ? "" : compiled.module.status().message()));
  REQUIRE(compiled.module.ok());
  return compiled;
}

// Probabilities and outputs are rounded to bf16: 2^-9 each, and the norm averages; 3e-3 leaves little room.
void agrees(const Outcome &outcome) {
  CHECK(outcome.error < 3e-3);
  CHECK(outcome.largestLse < 1e-3);
  CHECK(outcome.emptyRows);
}

} // namespace

TEST_CASE("dense attention on warps computes attention, at every tail and in every mode", "[simulator][nvrtc]") {
  for (const char *target : {"sm_80", "sm_120"}) {
    Compiled compiled = compile(target, 64);
    std::vector<Shape> shapes = {
        {},
        {.queries = 1, .keys = 1},
        {.heads = 4, .keyHeads = 2, .queries = 77, .keys = 130},
        {.batch = 2, .heads = 2, .queries = 100, .keys = 190, .queryLengths = {100, 37}, .keyLengths = {0, 129}},
        {.queries = 65, .keys = 0},
    };
    for (const Shape &shape : shapes)
      for (sim::Landing landing : {sim::Landing::atIssue, sim::Landing::seeded, sim::Landing::latest}) {
        INFO(target << ", " << shape.queries << " queries, " << shape.keys << " keys, landing " << int(landing));
        sim::LaunchConfig config;
        config.landing = landing;
        config.seed = 5;
        if (landing != sim::Landing::atIssue) {
          config.order = sim::WarpOrder::seeded;
          config.quantum = landing == sim::Landing::seeded ? 7 : 60;
          config.checks.races = true;
        }
        agrees(attend(*compiled.module, shape, compiled.sharedBytes, config));
      }
  }
}

TEST_CASE("the dense kernel's counts are what its schedule says", "[simulator][nvrtc]") {
  Compiled compiled = compile("sm_80", 128);
  Shape shape{.queries = 128, .keys = 256, .dim = 128};
  Outcome outcome = attend(*compiled.module, shape, compiled.sharedBytes, {});
  agrees(outcome);
  const sim::LaunchReport &report = outcome.report;
  CHECK(report.matrixFlops == uint64_t(2) * 2 * 128 * 256 * 128);
  CHECK(report.sharedMatrix.wavefronts == report.sharedMatrix.ideal);
  // K and V once per block of 64 queries, Q once.
  CHECK(report.asyncBytes == uint64_t(2) * (2 * 256 * 128 * 2) + 128 * 128 * 2);
  CHECK(report.globalStoreBytes == 128 * 128 * 2 + 128 * 4);
}
