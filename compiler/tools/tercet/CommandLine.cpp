// CLI11 parses; what it leaves over is refused here, because its own messages for left-overs know no suggestions.
#include "CommandLine.h"

#include "tercet/Spelling.h"

#include <CLI/CLI.hpp>
#include <fmt/ranges.h>

#include <algorithm>
#include <new>

namespace tercet::cli {
namespace {

constexpr const char *description =
    "Tercet compiles attention variants from specs: which blocks are exact, which linear, which skipped.\n"
    "SPEC is a file, '-' for standard input, or a built-in name; see `tercet specs`.";

std::vector<std::string> optionNames(const CLI::App &app) {
  std::vector<std::string> names;
  for (const CLI::Option *option : app.get_options())
    for (const std::string &name : option->get_lnames())
      names.push_back("--" + name);
  return names;
}

Status unknownCommand(const std::string &word, const std::vector<std::unique_ptr<Command>> &commands) {
  std::vector<std::string> names;
  for (const auto &command : commands)
    names.push_back(command->name());
  return Status::make(Code::invalidArgument, "there is no command '{}'; legal are {}{}", word, fmt::join(names, ", "),
                      suggestion(word, names));
}

Status leftOver(const CLI::App &app, const std::string &command, const std::string &word) {
  if (!word.starts_with("-") || word == "-")
    return Status::make(Code::invalidArgument, "'{}' is one word too many for 'tercet {}'; see 'tercet {} --help'",
                        word, command, command);
  std::string name = word.substr(0, word.find('='));
  return Status::make(Code::invalidArgument, "'tercet {}' has no option '{}'{}; see 'tercet {} --help'", command, name,
                      suggestion(name, optionNames(app)), command);
}

int fail(const Status &status) {
  printError(status);
  return exitCodeOf(status.code());
}

/// Whatever the command throws is a defect, except a machine without enough memory.
Result<ExitCode> runGuarded(Command &command) {
  try {
    return command.run();
  } catch (const std::bad_alloc &) {
    return Status::make(Code::invalidArgument, "there is not enough memory for this call; try a smaller shape");
  } catch (const std::exception &error) {
    return Status::make(Code::internal, "unexpected failure in 'tercet {}': {}", command.name(), error.what());
  }
}

} // namespace

int runCommandLine(int argc, char **argv, std::vector<std::unique_ptr<Command>> commands) {
  CLI::App app(description, "tercet");
  app.set_version_flag("--version", std::string("tercet " TERCET_VERSION));
  app.set_help_flag("-h,--help", "print this help");
  app.allow_extras();
  app.require_subcommand(0, 1);
  std::vector<std::pair<CLI::App *, Command *>> declared;
  for (const auto &command : commands) {
    CLI::App *sub = app.add_subcommand(command->name(), command->summary());
    sub->allow_extras();
    Options options(*sub);
    command->declare(options);
    declared.emplace_back(sub, command.get());
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &wanted) {
    std::string text = dynamic_cast<const CLI::CallForVersion *>(&wanted) ? app.version() + "\n" : app.help();
    for (auto &[sub, command] : declared)
      if (sub->parsed() && !dynamic_cast<const CLI::CallForVersion *>(&wanted))
        text = sub->help();
    Status printed = printText(text);
    return printed.ok() ? int(exitOk) : fail(printed);
  } catch (const CLI::ParseError &error) {
    return fail(Status::make(Code::invalidArgument, "{}", error.what()));
  }

  for (auto &[sub, command] : declared) {
    if (!sub->parsed())
      continue;
    if (std::vector<std::string> rest = sub->remaining(); !rest.empty()) {
      auto option =
          std::find_if(rest.begin(), rest.end(), [](const std::string &word) { return word.starts_with("-"); });
      return fail(leftOver(*sub, command->name(), option != rest.end() ? *option : rest.front()));
    }
    reportEnvironment();
    Result<ExitCode> code = runGuarded(*command);
    return code.ok() ? int(*code) : fail(code.status());
  }
  if (std::vector<std::string> rest = app.remaining(); !rest.empty())
    return fail(rest.front().starts_with("-")
                    ? Status::make(Code::invalidArgument,
                                   "tercet has no option '{}' before the command; see 'tercet --help'", rest.front())
                    : unknownCommand(rest.front(), commands));
  fmt::print(stderr, "{}", app.help());
  return exitInput;
}

} // namespace tercet::cli
