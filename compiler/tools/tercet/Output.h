// Output: everything that the command line says. Standard output carries the result (text, or one JSON object with
// --json), standard error everything else; the exit code says who has to act.
#pragma once

#include "tercet/Status.h"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace tercet::cli {

/// Keys keep the order in which they were written.
using Json = nlohmann::ordered_json;

enum ExitCode {
  exitOk = 0,
  exitInput = 1,      ///< the input is wrong, or a check failed
  exitDefect = 2,     ///< Tercet is wrong
  exitUnavailable = 3 ///< the target or device is not here or not supported
};

/// Who has to act on a failed status.
ExitCode exitCodeOf(Code code);

/// Writes a failed status to standard error: "tercet: error: ..", or as it is where it starts with a place in a spec.
void printError(const Status &status);
/// "tercet: warning: .." on standard error.
void printWarning(std::string_view message);

/// For the start of a program, once its command line is parsed: warnings go to standard error from here on, unless
/// TERCET_LOG asks for more, and those about TERCET_* variables are written.
void reportEnvironment();

/// Writes to standard output and flushes; invalidArgument when it cannot take the text (closed pipe, full disk).
Status printText(std::string_view text);
/// One object, indented by two, with a line end. Strings that are no UTF-8 are written with replacement characters, and
/// numbers that are not finite as null.
Status printJson(const Json &object);

/// Whether a file could be written there: its directory exists, and it is none itself. For finding out before long work.
Status checkOutputPath(const std::string &path);

} // namespace tercet::cli
