// Damage of one line, all of it: every truncation, every flipped bit.
#include "unit/autotune/SampleRecord.h"

#include "tercet/autotune/RecordFile.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::tune;

static std::string threeLines(const std::string &middle) {
  std::string before = *recordLine(test::sampleRecord());
  Record other = test::sampleRecord();
  other.key.headDim = 256;
  return before + "\n" + middle + "\n" + *recordLine(other) + "\n";
}

/// Whether the middle line, and it alone, is refused. Line ends in it make more lines, none of them a record.
static bool voidsItselfAlone(const std::string &middle) {
  RecordLines lines = readRecords(threeLines(middle), "db.jsonl");
  bool isTold = middle.empty() || (!lines.bad.empty() && lines.bad.front().text().starts_with("db.jsonl:2: "));
  return isTold && lines.records.size() == 2 && lines.records.back().record.key.headDim == 256;
}

TEST_CASE("a record that is cut off anywhere voids itself alone", "[record][damage]") {
  std::string line = *recordLine(test::sampleRecord());
  REQUIRE_FALSE(voidsItselfAlone(line));
  size_t wrong = 0;
  for (size_t length = 0; length < line.size(); ++length)
    wrong += !voidsItselfAlone(line.substr(0, length));
  for (size_t start = 1; start < line.size(); ++start)
    wrong += !voidsItselfAlone(line.substr(start));
  CHECK(wrong == 0);
}

TEST_CASE("a record with a flipped bit voids itself alone", "[record][damage]") {
  std::string line = *recordLine(test::sampleRecord());
  size_t wrong = 0;
  for (size_t bit = 0; bit < 8 * line.size(); ++bit) {
    std::string damaged = line;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    wrong += !voidsItselfAlone(damaged);
  }
  CHECK(wrong == 0);
}

TEST_CASE("random bytes between records void no record", "[record][damage]") {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::string noise(random() % 300, '\0');
    for (char &byte : noise)
      byte = static_cast<char>(random());
    RecordLines lines = readRecords(threeLines(noise), "db.jsonl");
    CHECK(lines.records.size() == 2);
  }
}
