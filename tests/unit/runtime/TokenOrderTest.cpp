// token_order against the place of every token on its grid.
#include "BuiltinCase.h"

#include "tercet/TokenOrder.h"

using namespace tercet;
using namespace tercet::test;

namespace {

/// The block of a token, counted tile by tile from its place.
int64_t blockOf(const TokenOrder &order, int64_t token, int64_t tokens) {
  int64_t text = tokens - order.gridTokens(), before = order.text == TextPlace::prefix ? text : 0;
  int64_t first = ceilDiv(before, order.block()), place = token - before;
  if (token < before)
    return token / order.block();
  if (place >= order.gridTokens())
    return first + order.tiles() + (place - order.gridTokens()) / order.block();
  int64_t x = place % order.grid[2], y = place / order.grid[2] % order.grid[1],
          t = place / order.grid[2] / order.grid[1];
  int64_t down = ceilDiv(order.grid[1], order.tile[1]), across = ceilDiv(order.grid[2], order.tile[2]);
  return first + (t / order.tile[0] * down + y / order.tile[1]) * across + x / order.tile[2];
}

} // namespace

TEST_CASE("token_order lists the tokens of every block in ascending order", "[builtin]") {
  for (unsigned seed = 0; seed < 200; ++seed) {
    Random random(seed);
    TokenOrder order;
    for (size_t axis = 0; axis < TokenOrder::axes; ++axis) {
      order.grid[axis] = random.from(1, 9);
      order.tile[axis] = random.from(1, 6);
    }
    order.text = random.pick({TextPlace::none, TextPlace::prefix, TextPlace::suffix});
    int64_t text = order.text == TextPlace::none ? 0 : random.upTo(50), tokens = order.gridTokens() + text;
    REQUIRE(checkTokenOrder(order, tokens, tokens).ok());
    int64_t blocks = order.blocks(tokens);
    std::vector<int32_t> places(size_t(2 * blocks * order.block()), -7), counts(size_t(2 * blocks), -7);
    std::vector<int32_t> expected, expectedCounts(size_t(2 * blocks), 0), live(2, -7), expectedLive(2, 0);
    const std::vector<int32_t> lengths = {int32_t(random.upTo(tokens)), int32_t(tokens)};
    bool hasLengths = seed % 2 == 0;
    for (size_t b = 0; b < 2; ++b)
      for (int64_t j = 0; j < blocks; ++j) {
        size_t at = b * size_t(blocks) + size_t(j);
        for (int64_t token = 0; token < tokens; ++token)
          if (blockOf(order, token, tokens) == j) {
            bool isValid = !hasLengths || token < lengths[b];
            expected.push_back(int32_t(isValid ? token : -2 - token));
            expectedCounts[at] += isValid;
          }
        expected.resize((at + 1) * size_t(order.block()), -1);
        if (expectedCounts[at] > 0)
          expectedLive[b] = int32_t((j + 1) * order.block());
      }
    TokenOrderSlots slots = {{order.grid[0], order.grid[1], order.grid[2]},
                             {order.tile[0], order.tile[1], order.tile[2]},
                             static_cast<int64_t>(order.text),
                             tokens,
                             hasLengths ? lengths.data() : nullptr,
                             blocks,
                             places.data(),
                             counts.data(),
                             live.data()};
    runBuiltin("token_order", slots, blocks, 2);
    INFO("seed " << seed);
    CHECK(places == expected);
    CHECK(counts == expectedCounts);
    CHECK(live == expectedLive);
  }
}

TEST_CASE("a token order says which calls may have it", "[builtin]") {
  TokenOrder order{.grid = {3, 4, 5}, .tile = {2, 2, 4}};
  CHECK(order.gridTokens() == 60);
  CHECK(order.tiles() == 8);
  CHECK(checkTokenOrder(order, 60, 60).ok());
  CHECK(!checkTokenOrder(order, 61, 60).ok());
  CHECK(!checkTokenOrder(order, 60, 59).ok());
  order.text = TextPlace::suffix;
  CHECK(checkTokenOrder(order, 60, 97).ok());
  CHECK(order.blocks(97) == 11);
  CHECK(!checkTokenOrder(order, 97, 59).ok());
  order.text = TextPlace::prefix;
  CHECK(checkTokenOrder(order, 97, 97).ok());
  CHECK(!checkTokenOrder(order, 60, 97).ok());
}
