// CaseResult: what became of a case or a benchmark, and how it is written down.
#pragma once

#include "Comparison.h"
#include "GraphCheck.h"
#include "Output.h"

namespace tercet::run {

/// The same artifact and inputs on another target.
struct BesideVerdict {
  std::string target;
  double relativeL2 = 0, bound = 0; ///< of the difference of o
  double equalShare = 0;            ///< of elements that have the same bits
  bool passed() const { return relativeL2 <= bound; }
};

struct CaseResult {
  std::string name, spec, module; ///< module: the architecture whose code ran
  std::string skipped;            ///< why it did not run; empty: it ran
  std::string error;              ///< a failed call; empty: none
  std::optional<CaseErrors> errors;
  bool deterministic = true; ///< two launches gave the same bits
  GraphVerdict graphs;
  std::optional<BesideVerdict> beside;
  std::vector<rt::GpuKernelCounts> counts; ///< of the first launch, on devices that count
  bool passed() const {
    return skipped.empty() && error.empty() && errors && errors->passed() && deterministic && graphs.passed() &&
           (!beside || beside->passed());
  }
};

struct BenchmarkResult {
  std::string name, spec, module, dtype;
  std::string skipped, error;
  int64_t batch = 0, heads = 0, headsKV = 0, queries = 0, keys = 0, headDim = 0, valueDim = 0;
  std::vector<double> ms; ///< of graph replays, sorted
  double flops = 0;       ///< executed
  std::vector<std::pair<std::string, double>> stageMs;
  int64_t criticalBlocks = 0, marginalBlocks = 0, negligibleBlocks = 0;
};

cli::Json toJson(const CaseResult &result);
cli::Json toJson(const BenchmarkResult &result);

} // namespace tercet::run
