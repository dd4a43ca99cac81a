// tercet: the command line. Every command is a file of this folder; the libraries own the work.
#include "CommandLine.h"

#include <csignal>

int main(int argc, char **argv) {
  std::signal(SIGPIPE, SIG_IGN); // a closed pipe is a write error with a message, not a silent death
  std::vector<std::unique_ptr<tercet::cli::Command>> commands;
  commands.push_back(tercet::cli::makeRunCommand());
  commands.push_back(tercet::cli::makeCompileCommand());
  commands.push_back(tercet::cli::makeCheckCommand());
  commands.push_back(tercet::cli::makeBenchCommand());
  commands.push_back(tercet::cli::makeTuneCommand());
  commands.push_back(tercet::cli::makeExplainCommand());
  commands.push_back(tercet::cli::makeFitCommand());
  commands.push_back(tercet::cli::makeSpecsCommand());
  commands.push_back(tercet::cli::makeDevicesCommand());
  commands.push_back(tercet::cli::makeConfigCommand());
  commands.push_back(tercet::cli::makeCacheCommand());
  commands.push_back(tercet::cli::makeDbCommand());
  return tercet::cli::runCommandLine(argc, argv, std::move(commands));
}
