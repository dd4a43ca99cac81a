// CommandLine: argv through CLI11, with the contract's refusals: an unknown command or option is named, the nearest
// known one is suggested, and nothing runs.
#pragma once

#include "Command.h"

#include <functional>
#include <limits>
#include <optional>

namespace CLI {
class Option;
}

namespace tercet::cli {

/// Parses and runs one command line; prints help, version and errors. Returns the process's exit code.
int runCommandLine(int argc, char **argv, std::vector<std::unique_ptr<Command>> commands);

/// Declares "--name N": a whole number in [minimum, maximum]; anything else is refused with the legal range.
CLI::Option *addWholeNumber(CLI::App &app, const std::string &name, int64_t &value, int64_t minimum, int64_t maximum,
                            const std::string &description);
/// Declares an option that may be repeated and takes one value each time.
CLI::Option *addRepeated(CLI::App &app, const std::string &name, std::vector<std::string> &values,
                         const std::string &description);
/// Declares "--name WORD": one of `words`; anything else is refused with a suggestion.
CLI::Option *addChoice(CLI::App &app, const std::string &name, std::string &value, std::vector<std::string> words,
                       const std::string &description);

/// A whole number written in decimal, nothing around it; absent when it is none or lies outside the range.
std::optional<int64_t> parseWholeNumber(std::string_view text, int64_t minimum = std::numeric_limits<int64_t>::min(),
                                        int64_t maximum = std::numeric_limits<int64_t>::max());

} // namespace tercet::cli
