// Merging is commutative, associative and idempotent: over random sets of records that collide often.
#include "unit/autotune/SampleRecord.h"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace tercet;
using namespace tercet::tune;

using Records = std::vector<StoredRecord>;

static Records randomRecords(std::mt19937 &random) {
  Records records;
  for (size_t count = random() % 40; count > 0; --count)
    records.push_back(test::stored(test::randomRecord(random)));
  return records;
}

static Records merged(Records a, const Records &b) {
  a.insert(a.end(), b.begin(), b.end());
  return mergeRecords(std::move(a));
}

static std::string text(const Records &records) {
  std::string all;
  for (const StoredRecord &record : records)
    all += record.line + "\n";
  return all;
}

TEST_CASE("merging is commutative, associative and idempotent", "[merge]") {
  std::mt19937 random(1);
  size_t dropped = 0;
  for (int round = 0; round < 100; ++round) {
    INFO("round " << round);
    Records a = randomRecords(random), b = randomRecords(random), c = randomRecords(random);
    Records ab = merged(a, b);
    dropped += a.size() + b.size() - ab.size();
    CHECK(text(ab) == text(merged(b, a)));
    CHECK(text(merged(ab, c)) == text(merged(a, merged(b, c))));
    CHECK(text(merged(ab, ab)) == text(ab));
    CHECK(text(merged(ab, a)) == text(ab));
    std::shuffle(a.begin(), a.end(), random);
    CHECK(text(merged(a, b)) == text(ab));
  }
  CHECK(dropped > 500); // else nothing collided, and nothing was tested
}

TEST_CASE("of two records about the same the later holds, then the faster, then one of them always", "[merge]") {
  Record older = test::sampleRecord(), newer = older;
  newer.date = "2026-11-30T00:00:00Z";
  newer.cost.median = 13;
  Records one = mergeRecords({test::stored(older), test::stored(newer)});
  REQUIRE(one.size() == 1);
  CHECK(one[0].record == newer);

  Record faster = older;
  faster.cost.median = 12.25;
  faster.machine.driver = "other"; // a later driver takes the place of an earlier one
  one = mergeRecords({test::stored(older), test::stored(faster)});
  REQUIRE(one.size() == 1);
  CHECK(one[0].record == faster);

  Record same = older;
  same.schedules[0].second = "another";
  CHECK(text(mergeRecords({test::stored(older), test::stored(same)})) ==
        text(mergeRecords({test::stored(same), test::stored(older)})));
}

TEST_CASE("records about something else stay side by side", "[merge]") {
  auto count = [](auto change) {
    Record other = test::sampleRecord();
    change(other);
    return mergeRecords({test::stored(test::sampleRecord()), test::stored(other)}).size();
  };
  CHECK(count([](Record &r) { r.shape.queries = 8200; }) == 1); // the same class
  CHECK(count([](Record &r) { r.specName = "renamed"; }) == 1);
  CHECK(count([](Record &r) { r.shape.queries = 16384; }) == 2);
  CHECK(count([](Record &r) { r.key.spec = digestOf("other").hex(); }) == 2);
  CHECK(count([](Record &r) { r.key.direction = "backward"; }) == 2);
  CHECK(count([](Record &r) { r.machine.device = "Processor 2"; }) == 2);
  CHECK(count([](Record &r) { r.machine.units = 4; }) == 2);
  CHECK(count([](Record &r) { r.generator = 2; }) == 2);
}
