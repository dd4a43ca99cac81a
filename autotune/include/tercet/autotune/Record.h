// Record: what one tuning run found, as one line of a tuning database. docs/autotuning.md#records
#pragma once

#include "tercet/Digest.h"
#include "tercet/Status.h"
#include "tercet/autotune/ProblemClass.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tercet::tune {

/// Raised when texts of schedules change their meaning, or kernels so much that earlier costs say little. Not the build:
/// rows outlive builds.
inline constexpr int64_t generatorVersion = 1;

/// What a schedule was chosen for: a record says nothing about programs of another key.
struct RecordKey {
  std::string spec;   ///< digest of the bound spec's text (Artifact::specDigest), 32 hex digits
  std::string target; ///< as modules name it: "cpu:v4", "sm_90a"
  std::string dtype;  ///< "f32", "f16", "bf16"
  int64_t headDim = 0, valueDim = 0;
  std::string direction = "inference"; ///< "inference", "forward" or "backward"
  friend auto operator<=>(const RecordKey &, const RecordKey &) = default;
};

/// Where a schedule was measured, or shall run.
struct Machine {
  std::string device;        ///< the processor's or the GPU's name; empty: not known
  int64_t units = 0;         ///< threads on a CPU, multiprocessors of a GPU; 0: not known
  std::string driver, nvrtc; ///< versions; empty on a CPU
  friend bool operator==(const Machine &, const Machine &) = default;
};

/// Milliseconds of one call, over `samples` repetitions.
struct Cost {
  double median = 0, lower = 0, upper = 0; ///< lower, upper: the quartiles
  int64_t samples = 0;
  friend bool operator==(const Cost &, const Cost &) = default;
};

struct Record {
  RecordKey key;
  std::string specName; ///< for people
  ProblemShape shape;   ///< as measured; its class is what counts
  /// Schedule by kernel name ("cpu": that of a whole CPU program). None: the analytic default was the best.
  std::vector<std::pair<std::string, std::string>> schedules;
  Cost cost;
  std::optional<Cost> defaultCost; ///< of the analytic default, from the same run
  Machine machine;
  int64_t generator = generatorVersion;
  std::string date; ///< UTC, "2026-11-29T17:30:00Z"
  friend bool operator==(const Record &, const Record &) = default;
};

/// The present time as a record has it.
std::string dateNow();

/// The record as one line without its end: a JSON object whose last field is the digest of all before. invalidArgument
/// says which field is not legal.
Result<std::string> recordLine(const Record &record);

/// A record, and its line as it stands in its file, where it is written back so.
struct StoredRecord {
  Record record;
  Digest digest;
  std::string line;
  int64_t lineNumber = 0; ///< from 1; 0: in no file
};

/// Reads what `recordLine` wrote; invalidArgument with the reason for anything else. Any input is legal.
Result<StoredRecord> parseRecord(std::string_view line);

/// Of records about the same key, class, device, units and generator the one that holds: the later, at one time the
/// faster one, then that of the smaller digest. In an order that depends on the records alone, so that merging is
/// commutative, associative and idempotent.
std::vector<StoredRecord> mergeRecords(std::vector<StoredRecord> records);

} // namespace tercet::tune
