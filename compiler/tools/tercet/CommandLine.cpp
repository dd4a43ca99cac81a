// CLI11 parses; what it leaves over is refused here, because its own messages for left-overs know no suggestions.
#include "CommandLine.h"

#include "tercet/Spelling.h"

#include <CLI/CLI.hpp>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
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
    command->declare(*sub);
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

std::optional<int64_t> parseWholeNumber(std::string_view text, int64_t minimum, int64_t maximum) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < minimum || number > maximum)
    return std::nullopt;
  return number;
}

CLI::Option *addWholeNumber(CLI::App &app, const std::string &name, int64_t &value, int64_t minimum, int64_t maximum,
                            const std::string &description) {
  auto set = [&value, minimum, maximum, name](const std::string &text) {
    std::optional<int64_t> number = parseWholeNumber(text, minimum, maximum);
    if (!number)
      throw CLI::ValidationError(
          fmt::format("{} is '{}'; legal are whole numbers from {} to {}", name, text, minimum, maximum));
    value = *number;
  };
  return app.add_option_function<std::string>(name, set, description)->type_name("N");
}

CLI::Option *addRepeated(CLI::App &app, const std::string &name, std::vector<std::string> &values,
                         const std::string &description) {
  auto add = [&values](const std::string &text) { values.push_back(text); };
  return app.add_option_function<std::string>(name, add, description)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->trigger_on_parse();
}

CLI::Option *addChoice(CLI::App &app, const std::string &name, std::string &value, std::vector<std::string> words,
                       const std::string &description) {
  std::string shown = fmt::format("{}", fmt::join(words, "|"));
  auto set = [&value, words = std::move(words), name](const std::string &text) {
    if (std::find(words.begin(), words.end(), text) == words.end())
      throw CLI::ValidationError(
          fmt::format("{} is '{}'; legal are {}{}", name, text, fmt::join(words, ", "), suggestion(text, words)));
    value = text;
  };
  return app.add_option_function<std::string>(name, set, description)->type_name(shown);
}

} // namespace tercet::cli
