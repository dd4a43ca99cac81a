// SampleRecord: a legal record, and random ones that often fall into the same slot.
#pragma once

#include "tercet/autotune/Record.h"

#include <random>

namespace tercet::test {

inline tune::Record sampleRecord() {
  tune::Record record;
  record.key = {.spec = digestOf("sla").hex(),
                .target = "cpu:v4",
                .dtype = "f32",
                .headDim = 128,
                .valueDim = 64,
                .direction = "inference"};
  record.specName = "sla";
  record.shape = {.batchHeads = 4, .headsPerKeyHead = 1, .queries = 8192, .keys = 8192, .kept = 0.05};
  record.schedules = {{"cpu", "tile 4 x 64, super row 256"}};
  record.cost = {.median = 12.5, .lower = 12.25, .upper = 13, .samples = 21};
  record.defaultCost = tune::Cost{.median = 14, .lower = 13.75, .upper = 14.5, .samples = 21};
  record.machine = {.device = "Processor 1", .units = 2, .driver = "", .nvrtc = ""};
  record.date = "2026-11-29T17:30:00Z";
  return record;
}

inline tune::StoredRecord stored(const tune::Record &record) {
  Result<std::string> line = tune::recordLine(record);
  TERCET_CHECK(line.ok(), "a test's record is legal");
  Result<tune::StoredRecord> result = tune::parseRecord(*line);
  TERCET_CHECK(result.ok(), "what is written is read");
  return *std::move(result);
}

/// Few values per field, so that slots, dates and costs collide.
inline tune::Record randomRecord(std::mt19937 &random) {
  auto below = [&](unsigned count) { return random() % count; };
  tune::Record record = sampleRecord();
  record.key.target = below(2) ? "cpu:v4" : "sm_90a";
  record.key.headDim = below(2) ? 64 : 128;
  record.shape.queries = 1000 + below(100);
  record.shape.keys = below(2) ? 1000 : 4000;
  if (below(2))
    record.shape.overlap = below(2) ? 0.5 : 1;
  record.machine.device = below(2) ? "Processor 1" : "Processor 2";
  record.generator = below(3);
  record.date = fmt::format("2026-11-{:02}T00:00:00Z", 1 + below(3));
  record.cost.median = record.cost.lower + 0.25 * below(3);
  return record;
}

} // namespace tercet::test
