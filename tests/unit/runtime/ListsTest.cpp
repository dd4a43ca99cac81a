#include "BuiltinCase.h"

using namespace tercet;
using namespace tercet::test;

namespace {

/// A random class map [batch, heads, blocksQ, blocksK + gap] with lengths, sparse or dense.
struct MapCase {
  Random random;
  int64_t batch, headsKV, repeat, heads, tokensQ, tokensK, blockQ, tileK, blockK, blocksQ, blocksK, pairs, firstPair,
      stride;
  std::vector<int32_t> qLengths, kLengths;
  std::vector<int8_t> classes;
  std::vector<uint8_t> rules; // of the group's heads, where there are any

  explicit MapCase(unsigned seed)
      : random(seed), batch(random.from(1, 2)), headsKV(random.from(1, 2)), repeat(random.from(1, 2)),
        heads(headsKV * repeat), tokensQ(random.from(1, 1200)), tokensK(random.from(1, 3000)),
        blockQ(random.pick({16, 64})), tileK(random.pick({8, 16})), blockK(tileK * random.from(1, 3)),
        blocksQ(ceilDiv(tokensQ, blockQ)), blocksK(ceilDiv(tokensK, blockK)), pairs(random.from(1, batch * headsKV)),
        firstPair(random.upTo(batch * headsKV - pairs)), stride(blocksK + random.upTo(3)),
        qLengths(randomLengths(random, batch, tokensQ)), kLengths(randomLengths(random, batch, tokensK)),
        classes(size_t(batch * heads * blocksQ * stride)) {
    double critical = random.pick({0.0, 0.02, 0.3, 1.0}), marginal = random.pick({0.0, 0.05, 0.8, 1.0});
    for (int8_t &value : classes)
      value = random.chance(critical) ? 1 : random.chance(marginal) ? 0 : -1;
  }

  void addRules() {
    double chance = random.pick({0.05, 0.5});
    rules.resize(size_t(pairs * repeat * blocksQ * blocksK));
    for (uint8_t &rule : rules)
      rule = uint8_t((random.chance(chance) ? random.pick({1, 2}) : 0) | (random.chance(chance) ? 4 : 0));
  }
  /// The rule byte's bits that are in `mask`; none beyond the lengths.
  int ruleAt(int64_t gr, int64_t i, int64_t j, int mask) const {
    return rules.empty() || isEmpty(gr, i, j) ? 0 : rules[size_t((gr * blocksQ + i) * blocksK + j)] & mask;
  }

  int64_t batchOf(int64_t gr) const { return (firstPair + gr / repeat) / headsKV; }
  int64_t headOf(int64_t gr) const { return (firstPair + gr / repeat) % headsKV * repeat + gr % repeat; }
  int64_t liveQ(int64_t gr) const { return lengthOf(qLengths, batchOf(gr), tokensQ); }
  int64_t liveK(int64_t gr) const { return lengthOf(kLengths, batchOf(gr), tokensK); }
  /// The resolved class: -1 for empty blocks.
  int at(int64_t gr, int64_t i, int64_t j) const {
    if (i >= blocksQ || i * blockQ >= liveQ(gr) || j * blockK >= liveK(gr))
      return -1;
    return classes[size_t(((batchOf(gr) * heads + headOf(gr)) * blocksQ + i) * stride + j)];
  }
  bool isEmpty(int64_t gr, int64_t i, int64_t j) const { return i * blockQ >= liveQ(gr) || j * blockK >= liveK(gr); }

  /// A builtin's argument block with the case's sizes, lengths and blocks; the rest zero.
  template <typename Slots> Slots slots() const {
    Slots filled = {};
    filled.qLengths = pointerTo(qLengths);
    filled.kLengths = pointerTo(kLengths);
    filled.headsKV = headsKV;
    filled.headsPerKV = repeat;
    filled.tokensQ = tokensQ;
    filled.tokensK = tokensK;
    filled.firstPair = firstPair;
    filled.blockQ = blockQ;
    filled.blockK = blockK;
    filled.blocksQ = blocksQ;
    filled.blocksK = blocksK;
    return filled;
  }
  /// The same, for builtins that read the class map.
  template <typename Slots> Slots slotsWithClasses() const {
    Slots filled = slots<Slots>();
    filled.classes = classes.data();
    filled.strideB = heads * blocksQ * stride;
    filled.strideH = blocksQ * stride;
    filled.strideI = stride;
    return filled;
  }
};

} // namespace

TEST_CASE("build_lists unites critical tiles and marginal mean tiles of a super row, and marks partial blocks",
          "[builtin]") {
  for (unsigned seed = 0; seed < 120; ++seed) {
    MapCase c(seed);
    INFO("seed " << seed);
    int64_t perRow = c.random.from(1, 5), perVisit = c.random.chance(0.5) ? 1 : c.random.from(2, 4);
    int64_t superRows = ceilDiv(c.blocksQ, perRow * perVisit), parts = c.blockK / c.tileK;
    int64_t meanTiles = ceilDiv(c.blocksK, 64), capacity = c.blocksK * parts + meanTiles;
    bool withMeans = perVisit == 1 && c.random.chance(0.5), masked = c.random.chance(0.5);
    std::vector<uint8_t> rules(size_t(c.pairs * c.repeat * c.blocksQ * c.blocksK));
    for (uint8_t &rule : rules)
      rule = uint8_t(c.random.upTo(15));
    auto isPartial = [&](int64_t gr, int64_t i, int64_t j) {
      return masked && (rules[size_t((gr * c.blocksQ + i) * c.blocksK + j)] & partialRule);
    };
    std::vector<AttendEntry> lists(size_t(c.pairs * c.repeat * superRows * capacity));
    std::vector<int32_t> counts(size_t(c.pairs * c.repeat * superRows), -5);
    auto slots = c.slotsWithClasses<BuildListsSlots>();
    slots.tileK = c.tileK;
    slots.visitsPerRow = perRow;
    slots.blocksPerVisit = perVisit;
    slots.superRows = superRows;
    slots.capacity = capacity;
    slots.withMeans = withMeans;
    slots.rules = masked ? rules.data() : nullptr;
    slots.lists = lists.data();
    slots.counts = counts.data();
    int64_t rows = perRow * perVisit * c.blockQ;
    std::vector<uint8_t> takers(size_t(c.pairs * c.repeat * superRows * rows * c.blocksK));
    std::vector<int32_t> takersAt(2 * lists.size());
    bool wantsTakers = rows <= 256;
    slots.takers = wantsTakers ? takers.data() : nullptr;
    slots.takersAt = wantsTakers ? takersAt.data() : nullptr;
    runBuiltin("build_lists", slots, superRows, c.pairs * c.repeat);
    for (int64_t gr = 0; gr < c.pairs * c.repeat; ++gr)
      for (int64_t row = 0; row < superRows; ++row) {
        std::vector<std::pair<int32_t, int32_t>> expected, given;
        for (int64_t tile = 0; tile < c.blocksK * parts; ++tile) {
          int32_t mask = 0;
          for (int64_t s = 0; s < perRow; ++s) {
            int64_t taking = 0, partial = 0;
            for (int64_t i = (row * perRow + s) * perVisit; i < (row * perRow + s + 1) * perVisit; ++i) {
              bool takes = c.at(gr, i, tile / parts) == 1;
              taking += takes;
              partial += takes && isPartial(gr, i, tile / parts);
            }
            if (taking > 0)
              mask |= 1 << s | (partial > 0) << (partialBit + s);
          }
          if (mask && tile * c.tileK < c.liveK(gr))
            expected.emplace_back(int32_t(tile), mask);
        }
        for (int64_t tile = 0; withMeans && tile < meanTiles; ++tile) {
          int32_t mask = 0;
          for (int64_t j = tile * 64; j < std::min((tile + 1) * 64, c.blocksK); ++j)
            for (int64_t s = 0; s < perRow; ++s)
              mask |= (c.at(gr, row * perRow + s, j) == 0) << s;
          if (mask)
            expected.emplace_back(meanTileBit | int32_t(tile), mask);
        }
        int64_t place = gr * superRows + row;
        for (int32_t entry = 0; entry < counts[size_t(place)]; ++entry)
          given.emplace_back(lists[size_t(place * capacity + entry)].tile,
                             lists[size_t(place * capacity + entry)].mask);
        if (given != expected)
          FAIL("group head " << gr << ", super row " << row << ": " << given.size() << " entries, expected "
                             << expected.size());
        for (int64_t entry = 0; wantsTakers && entry < counts[size_t(place)]; ++entry) {
          auto [tile, mask] = lists[size_t(place * capacity + entry)];
          if (tile & meanTileBit)
            continue;
          std::vector<int64_t> named, taking;
          for (int32_t at = takersAt[size_t(2 * (place * capacity + entry))];
               at < takersAt[size_t(2 * (place * capacity + entry) + 1)]; ++at)
            named.push_back(takers[size_t(place * rows * c.blocksK + at)]);
          for (int64_t token = 0; token < rows && row * rows + token < c.liveQ(gr); ++token)
            if (!(mask >> (partialBit + token / c.blockQ / perVisit) & 1) &&
                c.at(gr, (row * rows + token) / c.blockQ, tile / parts) == 1)
              taking.push_back(token);
          if (named != taking)
            FAIL("group head " << gr << ", super row " << row << ", entry " << entry << ": " << named.size()
                               << " rows, expected " << taking.size());
        }
      }
  }
}

TEST_CASE("linear_sets names the blocks of a linear set, by number or by bits", "[builtin]") {
  for (unsigned seed = 0; seed < 120; ++seed) {
    MapCase c(seed);
    int64_t over = seed % 3, subset = c.random.pick({1, 2, 5, 7}), runs = ceilDiv(c.blocksK, subset);
    if (seed % 2)
      c.addRules();
    int64_t rows = c.pairs * c.repeat * c.blocksQ;
    INFO("seed " << seed << ", runs of " << subset);
    std::vector<int32_t> lists(size_t(rows * c.blocksK)), counts(size_t(rows), 99), used(size_t(c.pairs), 99);
    std::vector<int8_t> patterns(size_t(rows * runs), 99);
    auto slots = c.slotsWithClasses<LinearSetsSlots>();
    slots.rules = c.rules.empty() ? nullptr : c.rules.data();
    slots.linearOver = over;
    slots.subset = subset;
    slots.lists = lists.data();
    slots.counts = counts.data();
    slots.patterns = patterns.data();
    runBuiltin("linear_sets", slots, c.blocksQ, c.pairs * c.repeat);
    runBuiltin("linear_used", LinearUsedSlots{counts.data(), c.repeat * c.blocksQ, used.data()}, c.pairs, 1);
    std::vector<int32_t> expectedUsed(size_t(c.pairs), 0);
    for (int64_t gr = 0; gr < c.pairs * c.repeat; ++gr)
      for (int64_t i = 0; i < c.blocksQ; ++i) {
        std::vector<int32_t> expected, given;
        for (int64_t j = 0; j < c.blocksK; ++j)
          if (!c.isEmpty(gr, i, j) && !c.ruleAt(gr, i, j, emptyRule | partialRule) &&
              (c.at(gr, i, j) == 0 || (over == 1 && c.at(gr, i, j) == -1) || over == 2))
            expected.push_back(int32_t(j));
        int64_t row = gr * c.blocksQ + i;
        if (subset == 1)
          given.assign(lists.data() + row * c.blocksK, lists.data() + row * c.blocksK + counts[size_t(row)]);
        else
          for (int64_t bit = 0; bit < runs * subset; ++bit)
            if (patterns[size_t(row * runs + bit / subset)] >> (bit % subset) & 1)
              given.push_back(int32_t(bit));
        if (given != expected || counts[size_t(row)] != int32_t(expected.size()))
          FAIL("group head " << gr << ", row " << i << " has a wrong set");
        expectedUsed[size_t(gr / c.repeat)] |= !expected.empty();
      }
    CHECK(used == expectedUsed);
  }
}

TEST_CASE("copy_classes broadcasts, empties what has no pair and keeps what a mask cuts", "[builtin]") {
  for (unsigned seed = 0; seed < 60; ++seed) {
    MapCase c(seed);
    bool broadcast = seed % 2, transposed = seed % 3 == 0;
    INFO("seed " << seed);
    if (seed % 4 < 2)
      c.addRules();
    int64_t si = transposed ? 1 : c.stride, sj = transposed ? c.blocksQ : 1, sh = broadcast ? 0 : c.blocksQ * c.stride;
    std::vector<int8_t> out(size_t(c.batch * c.heads * c.blocksQ * c.blocksK), 50);
    auto slots = c.slots<CopyClassesSlots>();
    slots.given = c.classes.data();
    slots.givenStrideB = sh * c.heads;
    slots.givenStrideH = sh;
    slots.givenStrideI = si;
    slots.givenStrideJ = sj;
    slots.rules = c.rules.empty() ? nullptr : c.rules.data();
    slots.classes = out.data();
    slots.strideB = c.heads * c.blocksQ * c.blocksK;
    slots.strideH = c.blocksQ * c.blocksK;
    slots.strideI = c.blocksK;
    runBuiltin("copy_classes", slots, c.pairs * c.repeat, 1);
    int wrong = 0;
    for (int64_t gr = 0; gr < c.pairs * c.repeat; ++gr)
      for (int64_t i = 0; i < c.blocksQ; ++i)
        for (int64_t j = 0; j < c.blocksK; ++j) {
          int64_t head = c.batchOf(gr) * c.heads + c.headOf(gr);
          int given = c.classes[size_t(c.batchOf(gr) * sh * c.heads + c.headOf(gr) * sh + i * si + j * sj)];
          if (c.isEmpty(gr, i, j) || c.ruleAt(gr, i, j, emptyRule))
            given = -1;
          else if (c.ruleAt(gr, i, j, partialRule) && given != -1)
            given = 1;
          wrong += out[size_t((head * c.blocksQ + i) * c.blocksK + j)] != given;
        }
    CHECK(wrong == 0);
  }
}

TEST_CASE("pattern makes the set and what a mask cuts critical, and the rest marginal", "[builtin]") {
  for (unsigned seed = 0; seed < 40; ++seed) {
    MapCase c(seed);
    INFO("seed " << seed);
    c.addRules();
    auto slots = c.slots<PatternSlots>();
    slots.rules = c.rules.data();
    slots.classes = c.classes.data();
    slots.strideB = c.heads * c.blocksQ * c.stride;
    slots.strideH = c.blocksQ * c.stride;
    slots.strideI = c.stride;
    EachLevel()([&] {
      runBuiltin("pattern", slots, ceilDiv(c.blocksQ, 64), c.pairs * c.repeat);
      int wrong = 0;
      for (int64_t gr = 0; gr < c.pairs * c.repeat; ++gr)
        for (int64_t i = 0; i < c.blocksQ; ++i)
          for (int64_t j = 0; j < c.blocksK; ++j) {
            bool isEmpty = c.isEmpty(gr, i, j) || c.ruleAt(gr, i, j, emptyRule);
            int expected = isEmpty ? -1 : c.ruleAt(gr, i, j, forcedRule | partialRule) != 0;
            int64_t head = c.batchOf(gr) * c.heads + c.headOf(gr);
            wrong += c.classes[size_t((head * c.blocksQ + i) * c.stride + j)] != expected;
          }
      CHECK(wrong == 0);
    });
  }
}
