// Records that earlier versions wrote, which must still be read.
#include "tercet/autotune/RecordFile.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::tune;

TEST_CASE("records of format 1 are read", "[record]") {
  RecordLines lines = readRecordFile("tests/golden/tuning-1.jsonl");
  CHECK(lines.bad.empty());
  REQUIRE(lines.records.size() == 5);
  const Record &first = lines.records[0].record, &gpu = lines.records[3].record;
  CHECK((first.specName == "sla" && first.key.target == "cpu:v4" && first.key.headDim == 128));
  CHECK((first.shape.kept == 0.05 && !first.shape.overlap && first.cost.median == 40.5 && first.defaultCost));
  CHECK((gpu.schedules.size() == 2 && gpu.schedules[0].first == "attend" && !gpu.defaultCost));
  CHECK((gpu.shape.overlap == 0.25 && gpu.machine.units == 132 && gpu.machine.driver == "570.86.15"));
}
