// The format of records is that of a file which every version must read; tests/cli/test_db.py knows its lines, too.
#include "unit/autotune/SampleRecord.h"

#include "tercet/autotune/RecordFile.h"

#include <catch2/catch.hpp>

#include <filesystem>

using namespace tercet;
using namespace tercet::tune;

static const char *const goldenRecords = "tests/golden/tuning-1.jsonl";

/// One that holds, one that it supersedes, one of an earlier generator, one of a GPU, one of a generator to come.
static std::vector<Record> samples() {
  Record first = test::sampleRecord();
  first.key.valueDim = 128;
  first.cost = {.median = 40.5, .lower = 40.25, .upper = 41, .samples = 21};
  first.defaultCost = Cost{.median = 44.55, .lower = 44, .upper = 45, .samples = 21};
  first.machine = {.device = "AMD EPYC", .units = 2};
  first.generator = 1;
  Record older = first, stale = first, gpu = first, later = first;
  older.date = "2026-11-28T09:00:00Z";
  older.cost = {.median = 42, .lower = 41, .upper = 43, .samples = 21};
  stale.generator = 0;
  stale.shape.queries = stale.shape.keys = 16384;
  gpu.key = {.spec = digestOf("sla_all").hex(),
             .target = "sm_90a",
             .dtype = "bf16",
             .headDim = 128,
             .valueDim = 128,
             .direction = "forward"};
  gpu.specName = "sla_all";
  gpu.shape = {.batchHeads = 12, .headsPerKeyHead = 2, .queries = 32760, .keys = 32760, .kept = 0.1, .overlap = 0.25};
  gpu.schedules = {{"attend", "128 x 64, 3 stages"}, {"aggregate", "bits"}};
  gpu.cost = {.median = 1.25, .lower = 1.2, .upper = 1.3, .samples = 15};
  gpu.defaultCost.reset();
  gpu.machine = {.device = "NVIDIA H200", .units = 132, .driver = "570.86.15", .nvrtc = "12.8"};
  later.key.headDim = 64;
  later.generator = 1000000;
  later.schedules.clear();
  return {first, older, stale, gpu, later};
}

// Hidden: writes the golden file, for a new format. Run from the repository's root.
TEST_CASE("write the golden records", "[.write-golden]") {
  std::filesystem::remove(goldenRecords);
  for (const Record &record : samples())
    REQUIRE(append(goldenRecords, record).ok());
  std::filesystem::remove(std::string(goldenRecords) + ".lock");
}

TEST_CASE("the format of records is the golden one", "[record]") {
  RecordLines lines = readRecordFile(goldenRecords);
  CHECK(lines.bad.empty());
  std::vector<Record> expected = samples();
  REQUIRE(lines.records.size() == expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    CHECK(lines.records[i].record == expected[i]);
    CHECK(lines.records[i].line == *recordLine(expected[i]));
  }
}
