// CaseFile: the table of a bundle (docs/gpu-bundle.md): calls with the oracle's expected rows, and shapes to time.
#pragma once

#include "tercet/Session.h"

#include <filesystem>
#include <map>

namespace tercet::run {

/// The most that the errors of one output may be.
struct Bounds {
  double relativeL2 = 0, max = 0, mean = 0;
};

/// A call whose tensors lie in one .safetensors file: inputs under their own names, expected_rows i32 [rows, 3] (batch,
/// head, row), expected_o f32 [rows, value dim], expected_lse f32 [rows], expected_classes i8 where the spec classifies.
struct CaseEntry {
  std::string name, spec;
  std::vector<std::filesystem::path> artifacts;
  std::filesystem::path tensors;
  std::vector<std::string> inputs;
  std::vector<std::pair<std::string, double>> parameters;
  /// Another setting, for the graph check; empty: the spec has none.
  std::vector<std::pair<std::string, double>> otherParameters;
  Bounds o, lse;
  bool hasLse = false, hasClasses = false;
};

/// A shape to time on seeded normal data.
struct BenchmarkEntry {
  std::string name, spec;
  std::vector<std::filesystem::path> artifacts;
  int64_t batch = 1, heads = 1, headsKV = 1, queries = 1, keys = 1;
  std::vector<std::pair<std::string, double>> parameters;
};

struct CaseFile {
  std::string compiler, commit;
  std::vector<CaseEntry> cases;
  std::vector<BenchmarkEntry> benchmarks;
};

/// Paths come out relative to the file's folder. invalidArgument with the field that is wrong.
Result<CaseFile> readCaseFile(const std::filesystem::path &path);

} // namespace tercet::run
