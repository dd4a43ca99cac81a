// RecordFields: every field of a record with its legal range, in the order of the line, named once for writing and reading.
// A visitor has: text, choice, integer, number, cost and schedules; optional values are absent where JSON has null.
#pragma once

#include "tercet/autotune/Record.h"

namespace tercet::tune {

inline constexpr int64_t recordFormat = 1;
inline constexpr size_t longestName = 256, longestSchedule = 4096, mostSchedules = 64;
inline constexpr int64_t largestSize = int64_t{1} << 40, largestHeadDim = 1 << 16;
inline constexpr double longestMs = 1e9;

/// Type: Record or const Record.
template <typename Visitor, typename Type> void visitFields(Visitor &visitor, Type &record) {
  visitor.digits("spec", record.key.spec);
  visitor.text("spec_name", record.specName);
  visitor.text("target", record.key.target);
  visitor.choice("dtype", record.key.dtype, {"f32", "f16", "bf16"});
  visitor.integer("head_dim", record.key.headDim, 1, largestHeadDim);
  visitor.integer("value_dim", record.key.valueDim, 1, largestHeadDim);
  visitor.choice("direction", record.key.direction, {"inference", "forward", "backward"});
  visitor.integer("batch_heads", record.shape.batchHeads, 1, largestSize);
  visitor.integer("heads_per_key_head", record.shape.headsPerKeyHead, 1, largestSize);
  visitor.integer("queries", record.shape.queries, 1, largestSize);
  visitor.integer("keys", record.shape.keys, 1, largestSize);
  visitor.fraction("kept", record.shape.kept);
  visitor.fraction("overlap", record.shape.overlap);
  visitor.schedules("schedules", record.schedules);
  visitor.cost("ms", record.cost);
  visitor.cost("default_ms", record.defaultCost);
  visitor.text("device", record.machine.device);
  visitor.integer("units", record.machine.units, 0, largestSize);
  visitor.text("driver", record.machine.driver);
  visitor.text("nvrtc", record.machine.nvrtc);
  visitor.integer("generator", record.generator, 0, largestSize);
  visitor.date("date", record.date);
}

} // namespace tercet::tune
