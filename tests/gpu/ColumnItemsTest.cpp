// The items of lines of keys that the device library makes, entry by entry, in the simulator.
#include "gpu/DeviceRun.h"

#include <algorithm>
#include <array>
#include <functional>
#include <random>

using namespace tercet;
using namespace tercet::test;

namespace {

constexpr int64_t times = 4, least = 8;

struct Entries {
  std::vector<std::array<int32_t, 4>> items, sums;
};

/// What column_items says it makes of the lists of a pair's lines.
Entries expectedEntries(const std::vector<int32_t> &lengths) {
  int64_t lines = int64_t(lengths.size()), total = 0, filled = 0;
  for (int32_t length : lengths) {
    total += length;
    filled += length > 0;
  }
  int64_t limit = std::max(least, filled == 0 ? 0 : times * ((total + filled - 1) / filled));
  struct Line {
    int64_t parts, longest;
    int32_t number;
  };
  std::vector<Line> order;
  for (int32_t line = 0; line < lines; ++line) {
    int64_t length = lengths[size_t(line)], parts = length > limit ? (length + limit - 1) / limit : 1;
    order.push_back({parts, (length + parts - 1) / parts, line});
  }
  Entries entries;
  std::vector<int32_t> slots(size_t(lines), -1);
  int32_t slot = 0;
  for (const Line &line : order)
    if (line.parts > 1) {
      slots[size_t(line.number)] = slot;
      entries.sums.push_back({line.number, slot, int32_t(line.parts), 0});
      slot += int32_t(line.parts);
    }
  std::stable_sort(order.begin(), order.end(), [](const Line &a, const Line &b) { return a.longest > b.longest; });
  for (const Line &line : order)
    for (int32_t part = 0; part < line.parts; ++part) {
      int32_t first = slots[size_t(line.number)];
      entries.items.push_back({line.number, part, int32_t(line.parts), first < 0 ? -1 : first + part});
      CHECK(line.longest <= limit);
    }
  int64_t spare = (lines + times - 1) / times;
  REQUIRE(int64_t(entries.items.size()) <= lines + spare);
  REQUIRE(int64_t(entries.sums.size()) <= spare);
  REQUIRE(slot <= 2 * spare);
  entries.items.resize(size_t(lines + spare), {int32_t(lines), 0, 1, -1});
  entries.sums.resize(size_t(spare), {int32_t(lines), 0, 0, 0});
  return entries;
}

/// Lists of many lengths: none, all alike, growing, a few that all queries see.
std::vector<std::function<int32_t(int64_t, std::mt19937 &)>> shapes() {
  return {[](int64_t, std::mt19937 &) { return 0; }, [](int64_t, std::mt19937 &) { return 17; },
          [](int64_t line, std::mt19937 &) { return int32_t(line); },
          [](int64_t line, std::mt19937 &random) { return line % 40 == 3 ? 900 : int32_t(random() % 20); },
          [](int64_t line, std::mt19937 &random) { return line == 0 ? 100000 : int32_t(random() % 2); }};
}

} // namespace

TEST_CASE("items are lines, longest first, and parts of lines that are far longer than the mean", "[nvrtc][items]") {
  constexpr int64_t warps = 2, heads = 3, pairs = 2;
  DeviceRun run(
      "#include \"tercet/dev/column_items.cuh\"\nusing namespace tercet::dev;\n"
      "extern \"C\" __global__ void __launch_bounds__(64) k(i32 *counts, i32 *items, i32 *sums, index lines, "
      "index blocks) {\n"
      "  column_items<2, 4, 8>(blockIdx.x % blocks, blockIdx.x / blocks, 3, lines, counts, items, sums);\n}\n");
  std::mt19937 random(1);
  for (const auto &lengthOf : shapes())
    for (int64_t lines : {1, 3, 4, 33, 64, 200}) {
      std::vector<int32_t> counts(size_t(pairs * heads * lines));
      std::vector<Entries> expected;
      for (int64_t pair = 0; pair < pairs; ++pair) {
        std::vector<int32_t> lengths(size_t(lines), 0);
        for (int64_t line = 0; line < lines; ++line) {
          lengths[size_t(line)] = lengthOf(line + pair, random);
          for (int64_t head = 0, left = lengths[size_t(line)]; head < heads; ++head) {
            int64_t own = head + 1 == heads ? left : left / 2;
            counts[size_t((pair * heads + head) * lines + line)] = int32_t(own);
            left -= own;
          }
        }
        expected.push_back(expectedEntries(lengths));
      }
      size_t room = expected[0].items.size(), spare = expected[0].sums.size();
      std::vector<int32_t> items(4 * pairs * room, -7), sums(4 * pairs * spare, -7);
      int64_t blocks = (lines + 32 * warps - 1) / (32 * warps);
      run.add(counts).add(items).add(sums).add(lines).add(blocks);
      run.run(DeviceRun::adversarial(uint32_t(pairs * blocks), 64, 0, uint64_t(lines)));
      for (size_t pair = 0; pair < pairs; ++pair) {
        INFO(lines << " lines, pair " << pair);
        for (size_t i = 0; i < 4 * room; ++i)
          CHECK(items[4 * pair * room + i] == expected[pair].items[i / 4][i % 4]);
        for (size_t i = 0; i < 4 * spare; ++i)
          CHECK(sums[4 * pair * spare + i] == expected[pair].sums[i / 4][i % 4]);
      }
    }
}
