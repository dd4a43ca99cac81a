// Status to sentence and exit code; text and JSON to standard output with every byte accounted for.
#include "Output.h"

#include "tercet/Environment.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace tercet::cli {
namespace {

/// "file.mlir:3:7: error: .." stands alone; every other message gets the program's name before it.
bool namesPlace(std::string_view message) {
  size_t line = message.find('\n');
  return message.substr(0, line).find(": error: ") != std::string_view::npos;
}

} // namespace

ExitCode exitCodeOf(Code code) {
  switch (code) {
  case Code::ok:
    return exitOk;
  case Code::invalidSpec:
  case Code::invalidArgument:
  case Code::cacheUnusable:
    return exitInput;
  case Code::unsupportedTarget:
  case Code::deviceUnavailable:
    return exitUnavailable;
  case Code::compileFailed:
  case Code::launchFailed:
  case Code::internal:
    return exitDefect;
  }
  return exitDefect;
}

void printError(const Status &status) {
  bool standsAlone = status.code() == Code::invalidSpec && namesPlace(status.message());
  fmt::print(stderr, "{}{}\n", standsAlone ? "" : "tercet: error: ", status.message());
  for (const auto &[key, value] : status.notes())
    fmt::print(stderr, "tercet: note: {}: {}\n", key, value);
}

void printWarning(std::string_view message) { fmt::print(stderr, "tercet: warning: {}\n", message); }

void reportEnvironment() {
  if (environment().logLevel != LogLevel::silent) // the first call of environment() has logged the warnings itself
    return;
  logToStandardError(LogLevel::warn);
  for (const std::string &warning : environment().warnings)
    logMessage(LogLevel::warn, warning);
}

Status printText(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    return Status::make(Code::invalidArgument, "cannot write to standard output: {}", std::strerror(errno));
  return {};
}

Status printJson(const Json &object) {
  return printText(object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

Status checkOutputPath(const std::string &path) {
  std::filesystem::path directory = std::filesystem::path(path).parent_path();
  std::error_code ignored;
  if (!directory.empty() && !std::filesystem::is_directory(directory, ignored))
    return Status::make(Code::invalidArgument, "cannot write {}: there is no directory {}", path, directory.string());
  if (std::filesystem::is_directory(path, ignored))
    return Status::make(Code::invalidArgument, "cannot write {}: it is a directory", path);
  return {};
}

} // namespace tercet::cli
