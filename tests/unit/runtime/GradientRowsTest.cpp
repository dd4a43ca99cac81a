// What the backward takes from builtins beside packed tiles: shifts and sums of rows, and the class map by key block.
#include "BuiltinCase.h"

#include <cmath>

using namespace tercet;
using namespace tercet::test;

TEST_CASE("gradient_rows gives every row its shift and its sum, and rows without keys and behind the last neither",
          "[builtin]") {
  EachLevel forLevels;
  for (unsigned seed = 0; seed < 60; ++seed) {
    Random random(seed);
    int64_t batch = 2, headsKV = random.from(1, 2), repeat = random.from(1, 3), heads = headsKV * repeat,
            tokens = random.from(1, 150), dim = random.from(1, 70), pairs = random.from(1, batch * headsKV),
            firstPair = random.upTo(batch * headsKV - pairs), rows = (tokens + 63) / 64 * 64 + 64 * random.upTo(1);
    DType dtype = random.pick({DType::f32, DType::f16, DType::bf16});
    std::vector<int32_t> lengths = randomLengths(random, batch, tokens);
    GappedTensor o(random, DType::f32, batch, heads, tokens, dim, lengths),
        gradient(random, dtype, batch, heads, tokens, dim, lengths);
    std::vector<float> lse(static_cast<size_t>(batch * heads * tokens)), lseRest = lse;
    for (float &value : lse)
      value = random.chance(0.2) ? -std::numeric_limits<float>::infinity() : 10 * random.normal();
    bool hasRest = random.chance(0.7);
    for (float &value : lseRest)
      value = hasRest ? 1e-6F * random.normal() : 0;
    const auto &so = o.tensor.strides, &sg = gradient.tensor.strides;
    forLevels([&] {
      std::vector<float> shifts(static_cast<size_t>(pairs * repeat * rows), poison), rests = shifts, sums = shifts;
      GradientRowsSlots slots{static_cast<const float *>(o.tensor.data),
                              lse.data(),
                              hasRest ? lseRest.data() : nullptr,
                              gradient.tensor.data,
                              so[0],
                              so[1],
                              so[2],
                              heads * tokens,
                              tokens,
                              1,
                              heads * tokens,
                              tokens,
                              1,
                              sg[0],
                              sg[1],
                              sg[2],
                              static_cast<int64_t>(dtype),
                              lengths.empty() ? nullptr : lengths.data(),
                              headsKV,
                              repeat,
                              tokens,
                              dim,
                              firstPair,
                              rows,
                              random.chance(0.5),
                              shifts.data(),
                              rests.data(),
                              sums.data(),
                              nullptr};
      runBuiltin("gradient_rows", slots, rows / 64, pairs * repeat);
      for (int64_t gr = 0; gr < pairs * repeat; ++gr)
        for (int64_t row = 0; row < rows; ++row) {
          int64_t pair = firstPair + gr / repeat, b = pair / headsKV, h = pair % headsKV * repeat + gr % repeat;
          auto at = static_cast<size_t>(gr * rows + row);
          auto source = static_cast<size_t>((b * heads + h) * tokens + row);
          float value = row < tokens ? lse[source] : 0;
          if (row >= lengthOf(lengths, b, tokens) || std::isinf(value)) {
            REQUIRE(shifts[at] == -std::numeric_limits<float>::infinity());
            REQUIRE(rests[at] == 0);
            REQUIRE(sums[at] == 0);
            continue;
          }
          double sum = 0, size = 0;
          for (int64_t c = 0; c < dim; ++c) {
            double term = o.tensor.get(b, h, row, c) * gradient.tensor.get(b, h, row, c);
            sum += term;
            size += std::abs(term);
          }
          REQUIRE(sums[at] == Approx(sum).margin(1e-6 * size));
          double shift = -(static_cast<double>(value) + lseRest[source]) / std::log(2.0);
          REQUIRE(shifts[at] == static_cast<float>(shift));
          REQUIRE(static_cast<double>(shifts[at]) + rests[at] == Approx(shift).epsilon(1e-12));
        }
    });
  }
}

TEST_CASE("transpose_classes exchanges query and key blocks", "[builtin]") {
  Random random(1);
  constexpr int64_t batch = 2, headsKV = 2, repeat = 2, heads = 4, blocksQ = 7, blocksK = 131, stride = 133, pairs = 3;
  std::vector<int8_t> classes(batch * heads * blocksQ * stride);
  for (bool ofRules : {false, true})
    for (int64_t together : {1, 2, 4, 8}) {
      for (int8_t &value : classes)
        value = static_cast<int8_t>(ofRules ? random.from(0, 7) : random.from(-1, 1));
      int64_t runs = ceilDiv(blocksQ, together);
      std::vector<int8_t> transposed(static_cast<size_t>(batch * heads * blocksK * runs), 9);
      TransposeClassesSlots slots{
          classes.data(), heads * blocksQ * stride, blocksQ * stride, stride, headsKV, repeat, 1, blocksQ,
          blocksK,        transposed.data(),        together,         ofRules};
      runBuiltin("transpose_classes", slots, ceilDiv(blocksK, 64), pairs * repeat);
      for (int64_t head = repeat; head < (1 + pairs) * repeat; ++head) // heads count on through batch entries
        for (int64_t run = 0; run < runs; ++run)
          for (int64_t j = 0; j < blocksK; ++j) {
            int all = ofRules ? 0 : -1;
            for (int64_t i = run * together; i < std::min((run + 1) * together, blocksQ); ++i) {
              int own = classes[static_cast<size_t>((head * blocksQ + i) * stride + j)];
              all = ofRules ? all | own : std::max(all, own);
            }
            REQUIRE(transposed[static_cast<size_t>((head * blocksK + j) * runs + run)] == all);
          }
      CHECK(transposed[0] == 9); // another pair's
    }
}
