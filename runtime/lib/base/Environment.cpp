// Parses the TERCET_* variables. A wrong value or an unknown name is worth a warning, never a failure.
#include "tercet/Environment.h"

#include "tercet/Spelling.h"

#include <algorithm>
#include <charconv>
#include <unistd.h>

namespace tercet {
namespace {

const std::vector<std::string> knownNames = {"TERCET_CACHE_DIR", "TERCET_LOG",      "TERCET_THREADS",
                                             "TERCET_NVRTC",     "TERCET_DUMP_DIR", "TERCET_DB"};
constexpr int mostThreads = 4096;

void parseThreads(std::string_view value, Environment &result) {
  int threads = 0;
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), threads);
  if (error == std::errc() && end == value.data() + value.size() && threads >= 1 && threads <= mostThreads)
    result.threads = threads;
  else
    result.warnings.push_back(
        fmt::format("TERCET_THREADS={} is ignored: it must be a whole number from 1 to {}", value, mostThreads));
}

void parseLogLevel(std::string_view value, Environment &result) {
  if (value == "warn")
    result.logLevel = LogLevel::warn;
  else if (value == "info")
    result.logLevel = LogLevel::info;
  else if (value == "debug")
    result.logLevel = LogLevel::debug;
  else
    result.warnings.push_back(fmt::format("TERCET_LOG={} is ignored: it must be warn, info or debug", value));
}

} // namespace

Environment Environment::parse(const std::vector<std::string> &variables) {
  Environment result;
  for (const std::string &variable : variables) {
    size_t equals = variable.find('=');
    if (equals == std::string::npos || !variable.starts_with("TERCET_"))
      continue;
    std::string name = variable.substr(0, equals), value = variable.substr(equals + 1);
    if (name == "TERCET_CACHE_DIR")
      result.cacheDir = value;
    else if (name == "TERCET_LOG" && !value.empty())
      parseLogLevel(value, result);
    else if (name == "TERCET_THREADS" && !value.empty())
      parseThreads(value, result);
    else if (name == "TERCET_NVRTC")
      result.nvrtc = value;
    else if (name == "TERCET_DUMP_DIR")
      result.dumpDir = value;
    else if (name == "TERCET_DB")
      result.database = value;
    else if (std::find(knownNames.begin(), knownNames.end(), name) == knownNames.end())
      result.warnings.push_back(fmt::format("{} is not a variable of Tercet{}", name, suggestion(name, knownNames)));
  }
  return result;
}

const Environment &environment() {
  static const Environment *instance = [] {
    std::vector<std::string> variables;
    for (char **entry = environ; entry && *entry; ++entry)
      variables.emplace_back(*entry);
    auto *parsed = new Environment(Environment::parse(variables));
    if (parsed->logLevel != LogLevel::silent)
      logToStandardError(parsed->logLevel);
    for (const std::string &warning : parsed->warnings)
      logMessage(LogLevel::warn, warning);
    return parsed;
  }();
  return *instance;
}

} // namespace tercet
