// Report: what a search found, for programs (JSON), for a terminal (a table) and for people who want to know why (one HTML
// page that needs nothing else).
#pragma once

#include "tercet/autotune/Tuner.h"

#include <nlohmann/json.hpp>

namespace tercet::tune {

/// What one launch does and cannot avoid to touch; 0: not known.
struct Work {
  double flops = 0, bytes = 0;
};

/// A search, and where and for what it was.
struct TuneReport {
  std::string spec, target, device, dtype, direction, shape, date;
  Space space;
  std::vector<std::string> pruned; ///< what the space leaves out, and by which rule
  TuneResult result;
  std::vector<Work> work;         ///< by candidate, or empty
  double peak = 0, bandwidth = 0; ///< of the machine, operations and bytes per second; 0: not measured
  double budgetSeconds = 0;
  std::string stored; ///< what became of the result, a sentence
};

/// Every candidate with its knobs, outcome and times; the best, the default, and the gain.
nlohmann::ordered_json reportJson(const TuneReport &report);

/// The best `most` candidates that were tried, the default, and the gain, as lines of text.
std::string reportTable(const TuneReport &report, size_t most = 12);

/// A page with a section per report: spread, cost against each knob, roofline, and the table of all candidates.
std::string reportHtml(const std::vector<TuneReport> &reports);

/// Candidates that have samples, by cost.
std::vector<size_t> rankedCandidates(const TuneResult &result);

} // namespace tercet::tune
