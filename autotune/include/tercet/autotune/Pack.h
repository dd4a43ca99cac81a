// Pack: everything that a machine with a device, and without a compiler, needs to tune a program: the candidates of its kernels as
// artifacts, a call to time them on, and rows of its result as the oracle has them. One file (docs/autotuning.md#split-tuning).
//
// The call's tensors are not in it: they are made from their sizes, the same on every machine.
#pragma once

#include "tercet/Tensor.h"
#include "tercet/autotune/Candidate.h"
#include "tercet/autotune/Record.h"

#include <filesystem>
#include <optional>
#include <span>

namespace tercet::tune {

struct PackCandidate {
  static constexpr size_t noArtifact = SIZE_MAX;

  Candidate schedule;
  std::string refusal;          ///< why it is not tried: spills, ptxas notes, a compiler that failed; empty: it is
  size_t artifact = noArtifact; ///< index in Pack::artifacts; the default's candidates of several kernels share one
  int64_t registers = 0, spillBytes = 0, sharedBytes = 0; ///< of the kernel, as ptxas reports; 0: not known
  std::vector<std::string> notes;                         ///< of ptxas
};

/// The candidates of one kernel; all others have the schedules of Pack::base.
struct PackSpace {
  std::string kernel;
  std::vector<PackCandidate> candidates; ///< the first one is the default
  std::vector<std::string> pruned;       ///< schedules that were not compiled, and the rule
};

/// The most that the errors of an output may be, at the expected rows.
struct ErrorBounds {
  double relativeL2 = 0, max = 0, mean = 0;
};

struct ExpectedTensor {
  std::string
      name; ///< "rows" i32 [rows, 3] (batch, head, row), "o" f32 [rows, dv], "lse" f32 [rows], "classes" i8 [rows, blocks]
  DType dtype = DType::f32;
  std::vector<int64_t> shape;
  std::vector<uint8_t> bytes;

  Tensor view() const;
};

struct Pack {
  static constexpr uint32_t formatVersion = 1;

  std::string specName;
  RecordKey key;
  /// The call. kept: of the oracle's classes at the expected rows.
  int64_t batch = 1, heads = 1, headsKV = 1, queries = 1, keys = 1;
  double kept = 1;
  std::vector<std::pair<std::string, double>> parameters;
  std::vector<std::pair<std::string, std::string>> base; ///< schedules of kernels; others have the default
  std::string compiler, nvrtc, date;
  int64_t generator = generatorVersion;
  ErrorBounds o;
  std::optional<ErrorBounds> lse;
  std::vector<ExpectedTensor> expected;
  std::vector<PackSpace> spaces;
  std::vector<std::vector<uint8_t>> artifacts; ///< files, each with a digest of its own

  const ExpectedTensor *find(std::string_view name) const;
  /// What a record about this call has.
  ProblemShape shape() const;

  std::vector<uint8_t> serialize() const;
  /// Refuses (invalidArgument, with what is wrong) truncated, damaged, foreign-version or oversized input, and packs that contradict
  /// themselves. Never throws. Artifacts are not parsed.
  static Result<Pack> parse(std::span<const uint8_t> bytes);
  Status save(const std::filesystem::path &path) const;
  static Result<Pack> load(const std::filesystem::path &path);
};

} // namespace tercet::tune
