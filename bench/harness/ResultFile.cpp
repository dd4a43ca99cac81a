// Numbers keep four significant digits: the noise is larger.
#include "ResultFile.h"

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <thread>

#include <sys/utsname.h>

namespace tercet::bench {

static double rounded(double value) { return std::strtod(fmt::format("{:.4g}", value).c_str(), nullptr); }

/// The first value of `key` in /proc/cpuinfo.
static std::string cpuInfo(const std::string &key) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.compare(0, key.size(), key) == 0 && line.find_first_not_of(" \t", key.size()) == line.find(':'))
      return line.substr(line.find(':') + 2);
  return "unknown";
}

nlohmann::json describeMachine() {
  utsname system{};
  uname(&system);
  nlohmann::json machine;
  machine["cpu"] =
      fmt::format("{}, family {} model {}", cpuInfo("model name"), cpuInfo("cpu family"), cpuInfo("model"));
  machine["level"] = cpuLevelName(detectCpuLevel());
  machine["cores"] = std::thread::hardware_concurrency();
  machine["system"] = fmt::format("{} {}", system.sysname, system.release);
#if defined(__clang__)
  machine["compiler"] = "clang " __clang_version__;
#else
  machine["compiler"] = "g++ " __VERSION__;
#endif
  machine["date"] = fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::time(nullptr)));
  return machine;
}

ResultFile::ResultFile(std::string suite, std::string command) : suite(std::move(suite)), command(std::move(command)) {}

void ResultFile::add(const Row &row) {
  Quartiles q = quartilesOf(row.values);
  MedianInterval interval = medianInterval90(row.values);
  nlohmann::json json = {{"name", row.name},
                         {"metric", row.metric},
                         {"median", rounded(q.median)},
                         {"q1", rounded(q.q1)},
                         {"q3", rounded(q.q3)},
                         {"low", rounded(interval.low)},
                         {"high", rounded(interval.high)},
                         {"interval90", interval.exact},
                         {"repetitions", row.values.size()},
                         {"retaken", row.retaken},
                         {"disturbed", row.disturbed}};
  std::string verdict;
  if (row.bar) {
    bool beyond = row.bar->atLeast ? interval.high < row.bar->value : interval.low > row.bar->value;
    bool met = row.bar->atLeast ? q.median >= row.bar->value : q.median <= row.bar->value;
    bool busy = 2 * static_cast<size_t>(row.disturbed) > row.values.size();
    verdict = busy ? "not judged, machine busy" : met ? "met" : beyond ? "missed" : "within noise";
    json["bar"] = fmt::format("{} {:g}", row.bar->atLeast ? ">=" : "<=", row.bar->value);
    json["verdict"] = verdict;
  }
  if (!row.note.empty())
    json["note"] = row.note;
  fmt::print("{:<58} {:<34} {:9.4g}  [{:.4g} {:.4g}] {}{}\n", row.name, row.metric, q.median, q.q1, q.q3, verdict,
             row.disturbed ? fmt::format(" ({} of {} disturbed)", row.disturbed, row.values.size()) : "");
  std::fflush(stdout);
  rows.push_back(json.dump());
}

void ResultFile::write(const std::string &directory) const {
  nlohmann::json all = {{"suite", suite}, {"command", command}, {"machine", describeMachine()}};
  all["rows"] = nlohmann::json::array();
  for (const std::string &row : rows)
    all["rows"].push_back(nlohmann::json::parse(row));
  std::string path = directory + "/" + suite + ".json";
  std::ofstream file(path);
  file << all.dump(1) << "\n";
  if (!file.flush())
    throw std::runtime_error("cannot write " + path);
}

} // namespace tercet::bench
