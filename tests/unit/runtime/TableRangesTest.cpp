#include "BuiltinCase.h"

#include <cmath>

using namespace tercet;
using namespace tercet::test;

namespace {

/// A table of three axes, of which the last given one is cut into blocks, in memory with gaps.
struct RangesCase {
  Random random;
  int64_t sizes[2], length, stride, outer[2];
  std::vector<float> floats;
  std::vector<int32_t> integers;

  explicit RangesCase(unsigned seed)
      : random(seed), sizes{random.from(1, 3), random.from(1, 4)}, length(random.from(1, 400)),
        stride(random.pick({1, 1, 3})) {
    outer[1] = length * stride + random.upTo(5);
    outer[0] = outer[1] * sizes[1] + random.upTo(5);
    for (int64_t index = 0; index < outer[0] * sizes[0]; ++index) {
      integers.push_back(int32_t(random.from(-1000, 1000)));
      floats.push_back(random.chance(0.003) ? poison : random.normal());
    }
  }
  int64_t at(int64_t row, int64_t index) const {
    return row / sizes[1] * outer[0] + row % sizes[1] * outer[1] + index * stride;
  }

  template <typename T> std::vector<T> run(const std::vector<T> &elements, DType dtype) {
    int64_t rows = sizes[0] * sizes[1], blocks = ceilDiv(length, rangeBlock);
    std::vector<T> ranges(size_t(rows * blocks * 2));
    TableRangesSlots slots = {elements.data(), int64_t(dtype), {sizes[0], sizes[1], 1}, {outer[0], outer[1], 0}, length,
                              stride,          ranges.data()};
    runBuiltin("table_ranges", slots, ceilDiv(blocks, 64), rows);
    return ranges;
  }
};

} // namespace

TEST_CASE("table_ranges finds the least and largest entry of every block, or NaN", "[builtin]") {
  EachLevel()([] {
    for (unsigned seed = 0; seed < 60; ++seed) {
      RangesCase c(seed);
      INFO("seed " << seed);
      std::vector<int32_t> integers = c.run(c.integers, DType::i32);
      std::vector<float> floats = c.run(c.floats, DType::f32);
      int64_t blocks = ceilDiv(c.length, rangeBlock), wrong = 0;
      for (int64_t row = 0; row < c.sizes[0] * c.sizes[1]; ++row)
        for (int64_t block = 0; block < blocks; ++block) {
          int32_t least = INT32_MAX, most = INT32_MIN;
          float low = INFINITY, high = -INFINITY;
          bool isNaN = false;
          for (int64_t index = block * rangeBlock; index < std::min((block + 1) * rangeBlock, c.length); ++index) {
            least = std::min(least, c.integers[size_t(c.at(row, index))]);
            most = std::max(most, c.integers[size_t(c.at(row, index))]);
            float value = c.floats[size_t(c.at(row, index))];
            isNaN = isNaN || std::isnan(value);
            low = std::fmin(low, value);
            high = std::fmax(high, value);
          }
          size_t place = size_t(2 * (row * blocks + block));
          wrong += integers[place] != least || integers[place + 1] != most;
          wrong += isNaN ? !std::isnan(floats[place]) || !std::isnan(floats[place + 1])
                         : floats[place] != low || floats[place + 1] != high;
        }
      CHECK(wrong == 0);
    }
  });
}
