#include "Options.h"

#include "tercet/Spelling.h"

#include <CLI/CLI.hpp>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace tercet::cli {

void Options::flag(const std::string &name, bool &value, const std::string &description) {
  app.add_flag(name, value, description);
}

void Options::text(const std::string &name, std::string &value, const std::string &type,
                   const std::string &description) {
  app.add_option(name, value, description)->type_name(type);
}

void Options::words(const std::string &name, std::vector<std::string> &values, const std::string &description) {
  app.add_option(name, values, description)->type_name("");
}

void Options::repeated(const std::string &name, std::vector<std::string> &values, const std::string &type,
                       const std::string &description) {
  auto add = [&values](const std::string &text) { values.push_back(text); };
  app.add_option_function<std::string>(name, add, description)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->trigger_on_parse()
      ->type_name(type);
}

void Options::wholeNumber(const std::string &name, int64_t &value, int64_t minimum, int64_t maximum,
                          const std::string &description) {
  auto set = [&value, minimum, maximum, name](const std::string &text) {
    std::optional<int64_t> number = parseWholeNumber(text, minimum, maximum);
    if (!number)
      throw CLI::ValidationError(
          fmt::format("{} is '{}'; legal are whole numbers from {} to {}", name, text, minimum, maximum));
    value = *number;
  };
  app.add_option_function<std::string>(name, set, description)->type_name("N");
}

void Options::choice(const std::string &name, std::string &value, std::vector<std::string> words,
                     const std::string &description) {
  std::string shown = fmt::format("{}", fmt::join(words, "|"));
  auto set = [&value, words = std::move(words), name](const std::string &text) {
    if (std::find(words.begin(), words.end(), text) == words.end())
      throw CLI::ValidationError(
          fmt::format("{} is '{}'; legal are {}{}", name, text, fmt::join(words, ", "), suggestion(text, words)));
    value = text;
  };
  app.add_option_function<std::string>(name, set, description)->type_name(shown);
}

std::optional<int64_t> parseWholeNumber(std::string_view text, int64_t minimum, int64_t maximum) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < minimum || number > maximum)
    return std::nullopt;
  return number;
}

} // namespace tercet::cli
