// ResultFile: the rows of one suite with the machine and the command they come from, as JSON; report.py makes the
// table.
#pragma once

#include "Samples.h"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace tercet::bench {

/// A bar a metric is held to. It is missed only when the 90 % interval of the median lies beyond it, and not judged at
/// all when most repetitions were disturbed.
struct Bar {
  double value = 0;
  bool atLeast = true; ///< else at most
};

/// One measured number. `values`: one per repetition; what is kept of them is median, quartiles and interval.
struct Row {
  std::string name;   ///< the case: "d=64, 4 heads, 4096 tokens, 1 thread"
  std::string metric; ///< "fraction of FMA peak", "ms", ...
  std::vector<double> values;
  int retaken = 0, disturbed = 0; ///< see Series
  std::optional<Bar> bar;
  std::string note; ///< what else the reader must know; may be empty
};

class ResultFile {
public:
  /// suite: also the file's stem. command: how it was run.
  ResultFile(std::string suite, std::string command);
  /// Prints the row and keeps it.
  void add(const Row &row);
  /// Writes `directory`/suite.json; throws std::runtime_error with the path if it cannot.
  void write(const std::string &directory) const;

private:
  std::string suite, command;
  std::vector<std::string> rows; ///< JSON objects
};

/// Processor, cores, operating system, compiler, date (UTC).
nlohmann::json describeMachine();

} // namespace tercet::bench
