// Sampled scores through select: shares are read off the classes that the rule `above` makes of them.
#include "BuiltinCase.h"

#include <cmath>

using namespace tercet;
using namespace tercet::test;

namespace {

int64_t depth; // of the running case: what a compiled kernel has built in

/// Stands for the compiled kernel.
void multiply(const int64_t *slots, int64_t, int64_t, int64_t, char *) {
  const float *rows = reinterpret_cast<const float *>(slots[0]), *tiles = reinterpret_cast<const float *>(slots[1]);
  float *out = reinterpret_cast<float *>(slots[2]);
  double scale = std::bit_cast<double>(slots[5]);
  for (int64_t r = 0; r < slots[3]; ++r)
    for (int64_t j = 0; j < slots[4] * 64; ++j) {
      double sum = 0;
      for (int64_t c = 0; c < depth; ++c)
        sum += double(rows[r * depth + c]) * double(tiles[(j / 64 * depth + c) * 64 + j % 64]);
      out[r * slots[4] * 64 + j] = float(sum * scale);
    }
}

struct SampleCase {
  Random random;
  int64_t batch, headsKV, repeat, heads, tokensQ, tokensK, dim, stride, blockQ, blockK, blocksQ, blocksK;
  std::vector<int32_t> qLengths, kLengths;
  GappedTensor q, k;
  std::vector<uint8_t> rules;

  explicit SampleCase(unsigned seed)
      : random(seed), batch(random.from(1, 2)), headsKV(random.from(1, 2)), repeat(random.from(1, 2)),
        heads(headsKV * repeat), tokensQ(random.from(1, 200)), tokensK(random.from(1, 400)), dim(random.from(1, 20)),
        stride(random.pick({2, 4, 8, 16})), blockQ(random.pick({16, 48, 64})), blockK(random.pick({16, 48, 64, 256})),
        blocksQ(ceilDiv(tokensQ, blockQ)), blocksK(ceilDiv(tokensK, blockK)),
        qLengths(randomLengths(random, batch, tokensQ)), kLengths(randomLengths(random, batch, tokensK)),
        q(random, DType::f32, batch, heads, tokensQ, dim, qLengths),
        k(random, DType::bf16, batch, headsKV, tokensK, dim, kLengths) {
    if (random.chance(0.3)) {
      rules.resize(size_t(batch * heads * blocksQ * blocksK));
      for (uint8_t &rule : rules)
        rule = random.chance(0.2);
    }
  }

  /// docs/spec.md#sampled_scores for one query block, by loops over tokens.
  std::vector<double> row(int64_t bh, int64_t i) const {
    int64_t b = bh / heads, h = bh % heads, liveQ = lengthOf(qLengths, b, tokensQ),
            liveK = lengthOf(kLengths, b, tokensK);
    std::vector<double> scores(size_t(blocksK), 0.0);
    int64_t first = i * blockQ / stride, end = ceilDiv(std::min((i + 1) * blockQ, liveQ), stride),
            keyGroups = ceilDiv(liveK, stride);
    auto isHidden = [&](int64_t c) {
      return !rules.empty() && rules[size_t((bh * blocksQ + i) * blocksK + c * stride / blockK)] & 1;
    };
    for (int64_t r = first; r < end; ++r) {
      std::vector<double> products;
      double sum = 0;
      for (int64_t c = 0; c < keyGroups; ++c) {
        double product = 0;
        for (int64_t t = 0; t < stride; ++t)
          if (int64_t qt = r * stride + stride - 1 - t, kt = c * stride + t; qt < liveQ && kt < liveK)
            for (int64_t x = 0; x < dim; ++x)
              product += q.tensor.get(b, h, qt, x) * k.tensor.get(b, h / repeat, kt, x);
        products.push_back(isHidden(c) ? 0 : std::exp(product * 0.7 / double(stride)));
        sum += products.back();
      }
      for (int64_t c = 0; c < keyGroups && sum > 0; ++c)
        scores[size_t(c * stride / blockK)] += products[size_t(c)] / sum / double(end - first);
    }
    return scores;
  }

  SelectSlots slots(std::vector<float> &samples, std::vector<int8_t> &classes) {
    int64_t tiles = ceilDiv(ceilDiv(tokensK, stride), 64);
    depth = stride * dim;
    samples.assign(size_t(batch * headsKV * tiles * 64 * depth), poison);
    const auto &ks = k.tensor.strides, &qs = q.tensor.strides;
    PackSamplesSlots pack = {k.tensor.data,
                             ks[0],
                             ks[1],
                             ks[2],
                             int64_t(DType::bf16),
                             pointerTo(kLengths),
                             headsKV,
                             tokensK,
                             dim,
                             0,
                             stride,
                             tiles,
                             samples.data(),
                             nullptr};
    runBuiltin("pack_samples", pack, tiles, batch * headsKV);
    SelectSlots s = {};
    s.scores.source = int64_t(ScoreSource::sampled), s.scores.scale = 0.7, s.scores.stride = stride;
    s.scores.q = q.tensor.data, s.scores.qStrideB = qs[0], s.scores.qStrideH = qs[1], s.scores.qStrideN = qs[2];
    s.scores.dtype = int64_t(DType::f32), s.scores.samples = samples.data(), s.scores.sampleTilesPerPair = tiles;
    s.rules = rules.empty() ? nullptr : rules.data();
    s.classes = classes.data();
    s.strideB = heads * blocksQ * blocksK, s.strideH = blocksQ * blocksK, s.strideI = blocksK;
    s.qLengths = pointerTo(qLengths), s.kLengths = pointerTo(kLengths);
    s.headsKV = headsKV, s.headsPerKV = repeat, s.tokensQ = tokensQ, s.tokensK = tokensK, s.headDim = dim;
    s.blockQ = blockQ, s.blockK = blockK, s.blocksQ = blocksQ, s.blocksK = blocksK, s.rowsPerItem = 2;
    s.keepRule = int64_t(KeepRule::above), s.maxKeep = 1 << 30, s.headsPerSpan = 1;
    return s;
  }
};

} // namespace

TEST_CASE("sampled scores are the shares of anti-diagonals", "[builtin]") {
  for (unsigned seed = 0; seed < 40; ++seed) {
    SampleCase c(seed);
    std::vector<float> samples;
    std::vector<int8_t> classes(size_t(c.batch * c.heads * c.blocksQ * c.blocksK), 77);
    SelectSlots s = c.slots(samples, classes);
    EachLevel()([&] {
      // The share of a block lies between the largest bound that it passes and the next.
      std::vector<double> passed(classes.size(), -1);
      for (double bound = 1; bound > 1e-4; bound *= 0.93) {
        s.keep = bound;
        runBuiltin("select", s, ceilDiv(c.blocksQ, 2), c.batch * c.heads, multiply);
        for (size_t at = 0; at < classes.size(); ++at)
          if (classes[at] == 1 && passed[at] < 0)
            passed[at] = bound;
      }
      INFO("seed " << seed);
      int wrong = 0;
      for (int64_t bh = 0; bh < c.batch * c.heads; ++bh)
        for (int64_t i = 0; i < c.blocksQ; ++i) {
          bool isLive = i * c.blockQ < lengthOf(c.qLengths, bh / c.heads, c.tokensQ);
          std::vector<double> right = isLive ? c.row(bh, i) : std::vector<double>(size_t(c.blocksK), 0.0);
          for (int64_t j = 0; j < c.blocksK; ++j) {
            double bound = passed[size_t((bh * c.blocksQ + i) * c.blocksK + j)], share = right[size_t(j)];
            wrong += bound < 0 ? share > 1.1e-4 : share < bound * 0.99999 || share > bound / 0.92999;
          }
        }
      CHECK(wrong == 0);
    });
  }
}
