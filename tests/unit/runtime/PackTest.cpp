#include "BuiltinCase.h"

using namespace tercet;
using namespace tercet::test;

namespace {

/// What a packed or mean element must be: the tensor's value, or 0.
bool near(float given, double expected) { return std::abs(given - expected) <= 2e-6 * (1 + std::abs(expected)); }

double meanOf(const Tensor &t, int64_t b, int64_t h, int64_t first, int64_t last, int64_t c) {
  double sum = 0;
  for (int64_t n = first; n < last; ++n)
    sum += t.get(b, h, n, c);
  return last > first ? sum / double(last - first) : 0;
}

struct KeyCase {
  Random random;
  int64_t batch, heads, tokens, dim, valueDim, padded, blockK, tileK, keyPanel, valuePanel, pairs, firstPair, blocks,
      tiles, meanTiles;
  std::vector<int32_t> lengths;
  GappedTensor k, v;

  explicit KeyCase(unsigned seed)
      : random(seed), batch(random.from(1, 3)), heads(random.from(1, 3)), tokens(random.from(1, 300)),
        dim(random.pick({1, 7, 16, 40, 64})), valueDim(random.pick({1, 3, 16, 33, 64})),
        padded(ceilDiv(valueDim, 16) * 16), blockK(random.pick({16, 64, 128})), tileK(random.pick({8, 12, 16})),
        pairs(random.from(1, batch * heads)), firstPair(random.upTo(batch * heads - pairs)),
        lengths(randomLengths(random, batch, tokens)), k(random, dtype(seed), batch, heads, tokens, dim, lengths),
        v(random, dtype(seed), batch, heads, tokens, valueDim, lengths) {
    if (blockK % tileK != 0)
      tileK = blockK;
    keyPanel = random.upTo(1) && tileK % 8 == 0 ? 8 : tileK;
    valuePanel = random.pick<int64_t>({8, 16, padded});
    blocks = ceilDiv(tokens, blockK);
    tiles = blocks * (blockK / tileK) + random.upTo(2);
    meanTiles = ceilDiv(blocks, 64) + random.upTo(1);
  }
  static DType dtype(unsigned seed) { return std::array{DType::f32, DType::f16, DType::bf16}[seed % 3]; }

  PackKeysSlots slots() const {
    return {k.tensor.data,
            v.tensor.data,
            k.tensor.strides[0],
            k.tensor.strides[1],
            k.tensor.strides[2],
            v.tensor.strides[0],
            v.tensor.strides[1],
            v.tensor.strides[2],
            int64_t(k.tensor.dtype),
            pointerTo(lengths),
            heads,
            tokens,
            dim,
            valueDim,
            padded,
            firstPair,
            blockK,
            tileK,
            keyPanel,
            valuePanel,
            tiles,
            meanTiles,
            nullptr,
            nullptr,
            nullptr,
            nullptr};
  }
};

} // namespace

TEST_CASE("pack_keys gives tiles and means, and zeros wherever there is no token", "[builtin]") {
  for (unsigned seed = 0; seed < 60; ++seed) {
    KeyCase c(seed);
    size_t pairs = size_t(c.pairs);
    std::vector<float> packedK(pairs * size_t(c.tiles * c.dim * c.tileK)),
        packedV(pairs * size_t(c.tiles * c.tileK * c.padded));
    std::vector<float> meanK(pairs * size_t(c.meanTiles * c.dim * 64)),
        meanV(pairs * size_t(c.meanTiles * 64 * c.padded));
    EachLevel()([&] {
      INFO("seed " << seed);
      for (std::vector<float> *out : {&packedK, &packedV, &meanK, &meanV})
        std::fill(out->begin(), out->end(), poison);
      PackKeysSlots slots = c.slots();
      slots.packedK = packedK.data(), slots.packedV = packedV.data(), slots.meanK = meanK.data(),
      slots.meanV = meanV.data();
      runBuiltin("pack_keys", slots, c.blocks, c.pairs);
      int wrong = 0;
      for (int64_t g = 0; g < c.pairs; ++g) {
        int64_t b = (c.firstPair + g) / c.heads, h = (c.firstPair + g) % c.heads,
                live = lengthOf(c.lengths, b, c.tokens);
        for (int64_t t = 0; t < c.tiles * c.tileK; ++t) {
          int64_t tile = g * c.tiles + t / c.tileK, column = t % c.tileK;
          int64_t panel = column / c.keyPanel, rowsBefore = panel * c.dim;
          for (int64_t e = 0; e < c.dim; ++e)
            wrong += packedK[size_t(tile * c.dim * c.tileK + (rowsBefore + e) * c.keyPanel + column % c.keyPanel)] !=
                     (t < live ? float(c.k.tensor.get(b, h, t, e)) : 0);
          for (int64_t e = 0; e < c.padded; ++e)
            wrong += packedV[size_t(tile * c.tileK * c.padded + (e / c.valuePanel * c.tileK + column) * c.valuePanel +
                                    e % c.valuePanel)] !=
                     (t < live && e < c.valueDim ? float(c.v.tensor.get(b, h, t, e)) : 0);
        }
        for (int64_t j = 0; j < c.meanTiles * 64; ++j) {
          int64_t first = std::min(j * c.blockK, live), last = std::min((j + 1) * c.blockK, live);
          int64_t tile = g * c.meanTiles + j / 64;
          for (int64_t e = 0; e < c.dim; ++e)
            wrong += !near(meanK[size_t((tile * c.dim + e) * 64 + j % 64)], meanOf(c.k.tensor, b, h, first, last, e));
          for (int64_t e = 0; e < c.padded; ++e)
            wrong += !near(meanV[size_t((tile * 64 + j % 64) * c.padded + e)],
                           e < c.valueDim ? meanOf(c.v.tensor, b, h, first, last, e) : 0);
        }
      }
      CHECK(wrong == 0);
    });
  }
}

TEST_CASE("pack_keys gives the same bits at every level and without tiles", "[builtin]") {
  for (unsigned seed = 100; seed < 120; ++seed) {
    KeyCase c(seed);
    INFO("seed " << seed);
    std::vector<float> first;
    std::vector<float> packedK(size_t(c.pairs * c.tiles * c.dim * c.tileK));
    for (bool withTiles : {true, false})
      EachLevel()([&] {
        std::vector<float> meanK(size_t(c.pairs * c.meanTiles * c.dim * 64), poison);
        PackKeysSlots slots = c.slots();
        slots.packedK = withTiles ? packedK.data() : nullptr;
        slots.meanK = meanK.data();
        runBuiltin("pack_keys", slots, c.blocks, c.pairs);
        if (first.empty())
          first = meanK;
        CHECK(first == meanK);
      });
  }
}

TEST_CASE("half denormals survive packing under flush-to-zero", "[builtin]") {
  std::vector<uint16_t> k(64);
  for (size_t i = 0; i < k.size(); ++i)
    k[i] = uint16_t((i * 37) & 0x83ff); // denormals of both signs
  EachLevel()([&] {
    std::vector<float> packed(64);
    PackKeysSlots slots = {k.data(), k.data(), 0, 0, 8, 0,  0, 8, int64_t(DType::f16), nullptr, 1,       8,      8, 8,
                           16,       0,        8, 8, 8, 16, 1, 1, packed.data(),       nullptr, nullptr, nullptr};
    runBuiltin("pack_keys", slots, 1, 1);
    for (size_t t = 0; t < 8; ++t)
      for (size_t c = 0; c < 8; ++c)
        CHECK(packed[c * 8 + t] == halfToFloat(k[t * 8 + c]));
  });
}

TEST_CASE("pool_queries averages the valid rows of each block", "[builtin]") {
  for (unsigned seed = 0; seed < 40; ++seed) {
    Random random(seed);
    int64_t batch = random.from(1, 3), headsKV = random.from(1, 2), repeat = random.from(1, 3),
            tokens = random.from(1, 200);
    int64_t dim = random.from(1, 70), blockQ = random.pick({16, 64, 128}), blocks = ceilDiv(tokens, blockQ);
    int64_t pairs = random.from(1, batch * headsKV), firstPair = random.upTo(batch * headsKV - pairs);
    std::vector<int32_t> lengths = randomLengths(random, batch, tokens);
    GappedTensor q(random, KeyCase::dtype(seed), batch, headsKV * repeat, tokens, dim, lengths);
    EachLevel()([&] {
      std::vector<float> means(size_t(pairs * repeat * blocks * dim), poison);
      PoolQueriesSlots slots = {q.tensor.data,
                                q.tensor.strides[0],
                                q.tensor.strides[1],
                                q.tensor.strides[2],
                                int64_t(q.tensor.dtype),
                                pointerTo(lengths),
                                headsKV,
                                repeat,
                                tokens,
                                dim,
                                firstPair,
                                blockQ,
                                blocks,
                                means.data()};
      runBuiltin("pool_queries", slots, blocks, pairs * repeat);
      int wrong = 0;
      for (int64_t gr = 0; gr < pairs * repeat; ++gr) {
        int64_t pair = firstPair + gr / repeat, b = pair / headsKV, h = pair % headsKV * repeat + gr % repeat;
        int64_t live = lengthOf(lengths, b, tokens);
        for (int64_t i = 0; i < blocks; ++i)
          for (int64_t c = 0; c < dim; ++c)
            wrong += !near(means[size_t((gr * blocks + i) * dim + c)],
                           meanOf(q.tensor, b, h, std::min(i * blockQ, live), std::min((i + 1) * blockQ, live), c));
      }
      INFO("seed " << seed);
      CHECK(wrong == 0);
    });
  }
}

TEST_CASE("pack_weight transposes, converts and pads", "[builtin]") {
  for (DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    Random random(3);
    std::vector<char> storage(5 * 9 * 4);
    Tensor w = Tensor::contiguous(storage.data(), dtype, {5, 9});
    for (int64_t e = 0; e < 5; ++e)
      for (int64_t c = 0; c < 9; ++c)
        w.set(random.normal(), e, c);
    std::vector<float> packedW(4 * 16, poison), packedB(16, poison);
    PackWeightSlots slots = {w.data, w.data, int64_t(dtype), int64_t(dtype), 9, 2, 2,
                             4,      16,     packedW.data(), packedB.data()};
    runBuiltin("pack_weight", slots, 1, 1);
    for (int64_t c = 0; c < 4; ++c)
      for (int64_t e = 0; e < 16; ++e)
        CHECK(packedW[size_t(c * 16 + e)] == (e < 4 ? float(w.get(e, 2 * c)) : 0));
    for (int64_t e = 0; e < 16; ++e)
      CHECK(packedB[size_t(e)] == (e < 4 ? float(w.get(0, 2 * e)) : 0));
  }
}

TEST_CASE("pack_weight leaves an absent weight and zeroes an absent bias", "[builtin]") {
  std::vector<float> packedW(16, 7), packedB(16, poison);
  PackWeightSlots slots = {nullptr, nullptr, 0, 0, 0, 0, 0, 1, 16, packedW.data(), packedB.data()};
  runBuiltin("pack_weight", slots, 1, 1);
  CHECK(packedW == std::vector<float>(16, 7));
  CHECK(packedB == std::vector<float>(16, 0));
}
