// Log: one sink for the whole process, set by the host; silent until then (or until TERCET_LOG asks for standard
// error).
#pragma once

#include <fmt/format.h>

#include <functional>
#include <string_view>

namespace tercet {

enum class LogLevel { silent, warn, info, debug };

/// Receives one message without a line end. Called under a lock, from any thread; must not log itself.
using LogSink = std::function<void(LogLevel level, std::string_view message)>;

/// Replaces the sink; messages up to `verbosity` reach it. An empty sink silences. Thread-safe.
void setLogSink(LogSink sink, LogLevel verbosity = LogLevel::info);
/// Installs a sink that writes "tercet: warning: ..." lines to standard error, unless the host has set one.
void logToStandardError(LogLevel verbosity);
/// Whether a message of this level would reach the sink.
bool logEnabled(LogLevel level);
void logMessage(LogLevel level, std::string_view message);

/// Formats and logs; costs one atomic load when the level is off.
template <typename... Args> void log(LogLevel level, fmt::format_string<Args...> format, Args &&...args) {
  if (logEnabled(level))
    logMessage(level, fmt::format(format, std::forward<Args>(args)...));
}

} // namespace tercet
