// Damaged specs and settings: whatever text arrives, it is a spec or is refused with one status. Seeded mutations of the
// built-in specs, by character, by word and by line; the sanitizer presets make reads out of bounds visible.
#include "tercet/compiler/SpecInfo.h"

#include <catch2/catch.hpp>

#include <random>

using namespace tercet;
using namespace tercet::compiler;

namespace {

class Mutator {
public:
  explicit Mutator(unsigned seed) : random(seed) {}

  size_t below(size_t bound) { return random() % bound; }

  std::string mutate(std::string text, const std::vector<BuiltinSpecInfo> &specs) {
    for (size_t edits = 1 + below(4); edits > 0; --edits) {
      size_t at = below(text.size() + 1), length = below(std::min<size_t>(text.size() - at, 40) + 1);
      switch (below(8)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, text.substr(at, length));
        break;
      case 2: { // a piece of another spec
        const std::string &other = specs[below(specs.size())].text;
        text.insert(at, other.substr(below(other.size()), below(60)));
        break;
      }
      case 3:
        text.insert(at, words[below(std::size(words))]);
        break;
      case 4:
        swapLines(text);
        break;
      case 5:
        text.resize(at);
        break;
      case 6:
        replaceNumber(text, at);
        break;
      default:
        if (at < text.size())
          text[at] = static_cast<char>(below(256));
      }
    }
    return text;
  }

  std::string setting() {
    static const char *const values[] = {"0",
                                         "-1",
                                         "1e308",
                                         "1e-320",
                                         "nan",
                                         "inf",
                                         "auto",
                                         "softmax",
                                         "true",
                                         "0.05",
                                         "9223372036854775807",
                                         "-9223372036854775808",
                                         "0x10",
                                         "",
                                         " ",
                                         "1 2"};
    return values[below(std::size(values))];
  }

private:
  static constexpr const char *words[] = {"(",
                                          ")",
                                          "{",
                                          "}",
                                          "<",
                                          ">",
                                          "%q",
                                          "%classes",
                                          ":",
                                          "=",
                                          ",",
                                          "\"",
                                          "//",
                                          "\n",
                                          "\xff",
                                          "#loc",
                                          "!tercet.tokens",
                                          "!tercet.static<i64>",
                                          "tercet.select",
                                          "tercet.param",
                                          "tercet.return",
                                          "@",
                                          "-9223372036854775808",
                                          "1e999",
                                          "dense<>",
                                          "loc(unknown)",
                                          "module",
                                          "attributes {a = 1}",
                                          "^bb0:",
                                          "block_q",
                                          "auto",
                                          "arith.constant"};

  void swapLines(std::string &text) {
    std::vector<std::string> lines;
    for (size_t begin = 0; begin < text.size();) {
      size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
      lines.push_back(text.substr(begin, end - begin));
      begin = end;
    }
    if (lines.empty())
      return;
    std::swap(lines[below(lines.size())], lines[below(lines.size())]);
    text.clear();
    for (const std::string &line : lines)
      text += line;
  }

  void replaceNumber(std::string &text, size_t from) {
    static const char *const numbers[] = {"0",     "-1",  "1",     "65", "4294967296", "9223372036854775807",
                                          "1e400", "0.1", "1.0e-9"};
    size_t begin = text.find_first_of("0123456789", from);
    if (begin == std::string::npos)
      return;
    size_t end = std::min(text.find_first_not_of("0123456789.", begin), text.size());
    text.replace(begin, end - begin, numbers[below(std::size(numbers))]);
  }

  std::mt19937 random;
};

} // namespace

TEST_CASE("3,000 damaged specs are specs or are refused with a place", "[frontend]") {
  const std::vector<BuiltinSpecInfo> specs = listBuiltinSpecs();
  Mutator mutator(20240611);
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text = mutator.mutate(specs[mutator.below(specs.size())].text, specs);
    Result<SpecInfo> info = inspectSpec({text, "damaged.mlir", {}});
    INFO(text);
    if (info.ok()) {
      // What was accepted prints as a spec that is accepted, and prints the same.
      Result<SpecInfo> again = inspectSpec({info->canonicalText, "again.mlir", {}});
      INFO(again.status().message());
      REQUIRE(again.ok());
      REQUIRE(again->canonicalText == info->canonicalText);
      continue;
    }
    ++refused;
    INFO(info.status().message());
    REQUIRE(info.status().code() == Code::invalidSpec);
    REQUIRE(info.status().message().starts_with("damaged.mlir:"));
    REQUIRE(info.status().message().find("error: ") != std::string::npos);
  }
  CHECK(refused > 1000);
  CHECK(refused < 3000);
}

TEST_CASE("any value of any parameter binds or is refused", "[frontend]") {
  Mutator mutator(3);
  int refused = 0, rounds = 0;
  for (const BuiltinSpecInfo &spec : listBuiltinSpecs()) {
    Result<SpecInfo> info = inspectSpec({spec.text, spec.name, {}});
    REQUIRE(info.ok());
    for (const ParameterInfo &parameter : info->parameters)
      for (int round = 0; round < 12; ++round, ++rounds) {
        std::string value = mutator.setting();
        INFO(spec.name << ": " << parameter.name << " = '" << value << "'");
        Result<SpecInfo> bound = inspectSpec({spec.text, spec.name, {{parameter.name, value}}});
        if (bound.ok())
          continue;
        ++refused;
        REQUIRE(bound.status().code() == Code::invalidSpec);
        REQUIRE_FALSE(bound.status().message().empty());
      }
  }
  CHECK(refused > rounds / 4);
  CHECK(refused < rounds);
}

TEST_CASE("the names of a spec are its own", "[frontend]") {
  const std::string spec = R"(tercet.spec @dense(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}
)";
  REQUIRE(inspectSpec({spec, "dense.mlir", {}}).ok());
  for (const std::string &text : {"tercet.return %o\n" + spec, spec + "tercet.return %o\n",
                                  "tercet.return %o\n" + spec.substr(0, spec.size() - 30)}) {
    Result<SpecInfo> info = inspectSpec({text, "outside.mlir", {}});
    INFO(text);
    REQUIRE_FALSE(info.ok());
    CHECK(info.status().code() == Code::invalidSpec);
    INFO(info.status().message());
    CHECK(info.status().message().starts_with("outside.mlir:"));
  }
}
