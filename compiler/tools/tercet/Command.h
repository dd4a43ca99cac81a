// Command: one subcommand, one file. A command declares its options and runs once they are parsed.
#pragma once

#include "Options.h"
#include "Output.h"

#include <memory>
#include <string>
#include <vector>

namespace tercet::cli {

class Command {
public:
  virtual ~Command() = default;
  virtual std::string name() const = 0;
  /// One line for the list of commands.
  virtual std::string summary() const = 0;
  virtual void declare(Options &options) = 0;
  /// The exit code after the result is printed; a failed status when there is none.
  virtual Result<ExitCode> run() = 0;
};

std::unique_ptr<Command> makeRunCommand();
std::unique_ptr<Command> makeCompileCommand();
std::unique_ptr<Command> makeCheckCommand();
std::unique_ptr<Command> makeBenchCommand();
std::unique_ptr<Command> makeTuneCommand();
std::unique_ptr<Command> makeExplainCommand();
std::unique_ptr<Command> makeFitCommand();
std::unique_ptr<Command> makeSpecsCommand();
std::unique_ptr<Command> makeDevicesCommand();
std::unique_ptr<Command> makeConfigCommand();
std::unique_ptr<Command> makeCacheCommand();
std::unique_ptr<Command> makeDbCommand();

} // namespace tercet::cli
