// Options: what a command takes, declared on a CLI11 app. A value keeps what it is unless its option is given.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace tercet::cli {

class Options {
public:
  explicit Options(CLI::App &app) : app(app) {}

  void flag(const std::string &name, bool &value, const std::string &description);
  /// --json, as every command has it.
  void json(bool &value) { flag("--json", value, "one JSON object on standard output"); }
  /// "--name TYPE", or without dashes a word in its place; type: what help shows for the value.
  void text(const std::string &name, std::string &value, const std::string &type, const std::string &description);
  /// All words in place of a name without dashes.
  void words(const std::string &name, std::vector<std::string> &values, const std::string &description);
  /// An option that may be repeated and takes one value each time.
  void repeated(const std::string &name, std::vector<std::string> &values, const std::string &type,
                const std::string &description);
  /// "--name N": a whole number in [minimum, maximum]; anything else is refused with the legal range.
  void wholeNumber(const std::string &name, int64_t &value, int64_t minimum, int64_t maximum,
                   const std::string &description);
  /// "--name WORD": one of `words`; anything else is refused with a suggestion.
  void choice(const std::string &name, std::string &value, std::vector<std::string> words,
              const std::string &description);

private:
  CLI::App &app;
};

/// A whole number written in decimal, nothing around it; absent when it is none or lies outside the range.
std::optional<int64_t> parseWholeNumber(std::string_view text, int64_t minimum = std::numeric_limits<int64_t>::min(),
                                        int64_t maximum = std::numeric_limits<int64_t>::max());

} // namespace tercet::cli
