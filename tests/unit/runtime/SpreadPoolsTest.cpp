// Gradients of pools to their tokens: against sums in double, token by token.
#include "BuiltinCase.h"

using namespace tercet;
using namespace tercet::test;

namespace {

/// Pools of `length` tokens every `stride`, whole or cut off by the end of the tokens.
struct Problem {
  explicit Problem(unsigned seed) : random(seed) {}

  Random random;
  int64_t batch = 2, heads = random.from(1, 3), tokens = random.from(1, 200), stride = random.from(1, 40),
          length = random.from(1, 2) * stride + random.upTo(5), pools = (tokens - 1) / stride + 1,
          width = random.from(1, 40), group = random.from(1, batch *heads),
          firstHead = random.upTo(batch * heads - group), poolRows = pools + random.upTo(3),
          tokenRows = tokens + random.upTo(70);
  std::vector<int32_t> lengths = randomLengths(random, batch, tokens);
  bool isWeighted = random.chance(0.5);
  int64_t weightHeads = random.pick({int64_t(1), heads}), weightEntries = random.from(1, length);
  std::vector<float> weights = normals(weightHeads * weightEntries), gradients = normals(group * poolRows * width),
                     before = normals(group * tokenRows * width);

  std::vector<float> normals(int64_t count) {
    std::vector<float> values(static_cast<size_t>(count));
    for (float &value : values)
      value = random.normal();
    return values;
  }

  int64_t live(int64_t item) const { return lengthOf(lengths, (firstHead + item) / heads, tokens); }

  double weight(int64_t item, int64_t pool, int64_t at) const {
    if (!isWeighted)
      return 1.0 / static_cast<double>(std::min(live(item) - pool * stride, length));
    int64_t head = std::min((firstHead + item) % heads, weightHeads - 1);
    return weights[static_cast<size_t>(head * weightEntries + std::min(at, weightEntries - 1))];
  }

  double right(int64_t item, int64_t token, int64_t c) const {
    double sum = 0;
    for (int64_t pool = 0; pool < pools; ++pool)
      if (int64_t at = token - pool * stride; at >= 0 && at < length && token < live(item))
        sum += weight(item, pool, at) * gradients[static_cast<size_t>((item * poolRows + pool) * width + c)];
    return sum;
  }
};

} // namespace

TEST_CASE("spread_pools gives every token what its pools got, by its weight in each", "[builtin]") {
  EachLevel forLevels;
  for (unsigned seed = 0; seed < 80; ++seed) {
    Problem problem(seed);
    INFO("seed " << seed);
    for (int64_t adds : {0, 1})
      forLevels([&] {
        std::vector<float> out = problem.before;
        SpreadPoolsSlots slots{problem.gradients.data(),
                               out.data(),
                               problem.poolRows,
                               problem.tokenRows,
                               problem.width,
                               pointerTo(problem.lengths),
                               problem.heads,
                               problem.tokens,
                               problem.firstHead,
                               problem.length,
                               problem.stride,
                               problem.pools,
                               problem.isWeighted ? problem.weights.data() : nullptr,
                               problem.weightHeads,
                               problem.weightEntries,
                               problem.weightEntries,
                               1,
                               adds,
                               nullptr};
        runBuiltin("spread_pools", slots, ceilDiv(problem.tokens, 64), problem.group);
        for (int64_t item = 0; item < problem.group; ++item)
          for (int64_t token = 0; token < problem.tokenRows; ++token)
            for (int64_t c = 0; c < problem.width; ++c) {
              auto at = static_cast<size_t>((item * problem.tokenRows + token) * problem.width + c);
              if (token >= problem.tokens) {
                REQUIRE(out[at] == problem.before[at]); // rows behind the last are not its own
                continue;
              }
              double right = problem.right(item, token, c) + (adds ? problem.before[at] : 0);
              REQUIRE(out[at] == Approx(right).margin(2e-5));
            }
      });
  }
}
