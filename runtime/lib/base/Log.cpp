// The log sink. One mutex guards it: messages are rare, and never sent from a launch.
#include "tercet/Log.h"

#include <atomic>
#include <cstdio>
#include <mutex>

namespace tercet {
namespace {

struct Sink {
  std::mutex mutex;
  LogSink function;
  std::atomic<int> verbosity{static_cast<int>(LogLevel::silent)};
};

/// Never destroyed, so that threads that outlive main may still log.
Sink &sink() {
  static Sink *instance = new Sink;
  return *instance;
}

void writeToStandardError(LogLevel level, std::string_view message) {
  const char *word = level == LogLevel::warn ? "warning: " : "";
  fmt::print(stderr, "tercet: {}{}\n", word, message);
}

} // namespace

void setLogSink(LogSink function, LogLevel verbosity) {
  std::lock_guard lock(sink().mutex);
  sink().verbosity = static_cast<int>(function ? verbosity : LogLevel::silent);
  sink().function = std::move(function);
}

void logToStandardError(LogLevel verbosity) {
  std::lock_guard lock(sink().mutex);
  if (sink().function)
    return;
  sink().function = writeToStandardError;
  sink().verbosity = static_cast<int>(verbosity);
}

bool logEnabled(LogLevel level) {
  return level != LogLevel::silent && static_cast<int>(level) <= sink().verbosity.load(std::memory_order_relaxed);
}

void logMessage(LogLevel level, std::string_view message) {
  std::lock_guard lock(sink().mutex);
  if (sink().function && logEnabled(level))
    sink().function(level, message);
}

} // namespace tercet
