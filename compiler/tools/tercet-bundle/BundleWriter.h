// BundleWriter: a folder with artifacts, tensors and the table that tercet-run reads.
#pragma once

#include "BundleCases.h"
#include "Output.h"

#include <filesystem>
#include <set>

namespace tercet::bundle {

class BundleWriter {
public:
  BundleWriter(std::filesystem::path folder, std::vector<std::string> targets, std::string commit)
      : folder(std::move(folder)), targets(std::move(targets)), commit(std::move(commit)) {}

  Status add(const Case &entry);
  Status add(const Benchmark &entry);
  /// Writes cases.json. Cases without code for any target are left out, and programs that a target does not support, or
  /// that do not compile for it, are told under "unsupported".
  Status finish();

  size_t written() const { return cases.size() + benchmarks.size(); }
  const cli::Json &unsupported() const { return refusals; }

private:
  /// Paths of the program's artifacts, compiled once each; empty where no target supports it.
  Result<cli::Json> artifactsOf(const Program &program);

  std::filesystem::path folder;
  std::vector<std::string> targets;
  std::string commit, compiler;
  std::map<std::string, cli::Json> compiled; ///< by program
  cli::Json cases = cli::Json::array(), benchmarks = cli::Json::array(), refusals = cli::Json::array();
};

} // namespace tercet::bundle
