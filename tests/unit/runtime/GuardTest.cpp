#include "BuiltinCase.h"

#include <cmath>

using namespace tercet;
using namespace tercet::test;

TEST_CASE("center_keys takes the mean of the valid keys from the means of blocks", "[builtin]") {
  for (unsigned seed = 0; seed < 30; ++seed) {
    Random random(seed);
    int64_t headsKV = random.from(1, 3), batch = random.from(1, 2), tokens = random.from(1, 900),
            dim = random.from(1, 40);
    int64_t blockK = random.pick({4, 16, 64}), blocks = ceilDiv(tokens, blockK), tiles = ceilDiv(blocks, 64);
    std::vector<int32_t> lengths = randomLengths(random, batch, tokens);
    std::vector<float> means(size_t(batch * headsKV * tiles * 64 * dim)), centered(means.size(), poison);
    std::vector<float> center(size_t(batch * headsKV * dim), poison);
    for (float &mean : means)
      mean = random.normal() + 3;
    CenterKeysSlots slots = {pointerTo(lengths), headsKV,       tokens,         dim, 0, blockK, blocks, tiles,
                             means.data(),       center.data(), centered.data()};
    runBuiltin("center_keys", slots, batch * headsKV, 1);
    double worst = 0;
    for (int64_t g = 0; g < batch * headsKV; ++g)
      for (int64_t c = 0; c < dim; ++c) {
        auto place = [&](int64_t j) { return size_t(((g * tiles + j / 64) * dim + c) * 64 + j % 64); };
        int64_t live = lengthOf(lengths, g / headsKV, tokens);
        double sum = 0;
        for (int64_t t = 0; t < live; ++t)
          sum += double(means[place(t / blockK)]);
        double mean = live ? sum / double(live) : 0;
        worst = std::max(worst, std::abs(double(center[size_t(g * dim + c)]) - mean));
        for (int64_t j = 0; j < tiles * 64; ++j) {
          double right = j * blockK < live ? double(means[place(j)]) - mean : 0;
          worst = std::max(worst, std::abs(double(centered[place(j)]) - right));
        }
      }
    INFO("seed " << seed);
    CHECK(worst < 1e-6);
  }
}

TEST_CASE("alikeness is the mean cosine over all pairs of a block's tokens", "[builtin]") {
  for (unsigned seed = 0; seed < 30; ++seed) {
    Random random(seed);
    int64_t heads = random.from(1, 3), batch = random.from(1, 2), tokens = random.from(1, 200),
            dim = random.from(1, 40);
    int64_t block = random.pick({4, 16, 64}), blocks = ceilDiv(tokens, block);
    std::vector<int32_t> lengths = randomLengths(random, batch, tokens);
    GappedTensor x(random, random.pick({DType::f32, DType::bf16, DType::f16}), batch, heads, tokens, dim, lengths);
    std::vector<float> center;
    if (random.chance(0.5))
      for (int64_t at = 0; at < batch * heads * dim; ++at)
        center.push_back(random.normal() / 2);
    else if (lengthOf(lengths, 0, tokens) > 0)
      for (int64_t c = 0; c < dim; ++c)
        x.tensor.set(0, 0, 0, 0, c); // a token of zeros
    std::vector<float> alike(size_t(batch * heads * blocks), poison), first;
    const auto &strides = x.tensor.strides;
    AlikenessSlots slots = {x.tensor.data,
                            strides[0],
                            strides[1],
                            strides[2],
                            int64_t(x.tensor.dtype),
                            pointerTo(lengths),
                            heads,
                            tokens,
                            dim,
                            0,
                            block,
                            blocks,
                            center.empty() ? nullptr : center.data(),
                            alike.data()};
    auto token = [&](int64_t head, int64_t t) {
      std::vector<double> values;
      double square = 0;
      for (int64_t c = 0; c < dim; ++c) {
        values.push_back(x.tensor.get(head / heads, head % heads, t, c) -
                         (center.empty() ? 0 : double(center[size_t(head * dim + c)])));
        square += values.back() * values.back();
      }
      for (double &value : values)
        value /= square > 0 ? std::sqrt(square) : 1;
      return values;
    };
    EachLevel()([&] {
      runBuiltin("alikeness", slots, blocks, batch * heads);
      for (int64_t head = 0; head < batch * heads; ++head)
        for (int64_t i = 0; i < blocks; ++i) {
          int64_t end = std::min((i + 1) * block, lengthOf(lengths, head / heads, tokens));
          double sum = 0, count = double(std::max<int64_t>(0, end - i * block));
          for (int64_t a = i * block; a < end; ++a)
            for (int64_t b = i * block; b < end; ++b)
              for (int64_t c = 0; c < dim; ++c)
                sum += token(head, a)[size_t(c)] * token(head, b)[size_t(c)];
          INFO("seed " << seed << ", head " << head << ", block " << i);
          CHECK(std::abs(double(alike[size_t(head * blocks + i)]) - (count ? sum / count / count : 0)) < 1e-5);
        }
      if (first.empty())
        first = alike;
      CHECK(first == alike);
    });
  }
}
