// CommandLine: argv through CLI11, with the contract's refusals: an unknown command or option is named, the nearest
// known one is suggested, and nothing runs.
#pragma once

#include "Command.h"

namespace tercet::cli {

/// Parses and runs one command line; prints help, version and errors. Returns the process's exit code.
int runCommandLine(int argc, char **argv, std::vector<std::unique_ptr<Command>> commands);

} // namespace tercet::cli
