// One pass over the text; every loop is bounded by its end.
#include "syntax/Tokens.h"

#include "core/Types.h"

#include <fmt/format.h>

#include <cctype>

namespace tercet::sim {

namespace {

bool startsWord(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '%' || c == '.';
}
bool continuesWord(char c) { return startsWord(c) || std::isdigit(static_cast<unsigned char>(c)); }

class Scanner {
public:
  explicit Scanner(std::string_view source) : source(source) {}

  std::vector<Token> run() {
    while (skipBlank())
      scan();
    add(Token::Kind::end, at);
    return std::move(tokens);
  }

private:
  char peek(size_t ahead = 0) const { return at + ahead < source.size() ? source[at + ahead] : '\0'; }

  void add(Token::Kind kind, size_t begin) {
    tokens.push_back({kind, source.substr(begin, at - begin), line, uint32_t(begin)});
  }

  /// Moves to the next token; false at the end.
  bool skipBlank() {
    while (at < source.size()) {
      char c = source[at];
      if (c == '\n') {
        ++line;
        ++at;
      } else if (std::isspace(static_cast<unsigned char>(c))) {
        ++at;
      } else if (c == '/' && peek(1) == '/') {
        while (at < source.size() && source[at] != '\n')
          ++at;
      } else if (c == '/' && peek(1) == '*') {
        skipBlock();
      } else {
        return true;
      }
    }
    return false;
  }

  void skipBlock() {
    uint32_t opened = line;
    for (at += 2; at < source.size(); ++at) {
      if (source[at] == '*' && peek(1) == '/') {
        at += 2;
        return;
      }
      line += source[at] == '\n';
    }
    throw Failure{fmt::format("line {}: the comment that starts here is not closed", opened)};
  }

  void scan() {
    size_t begin = at;
    char c = source[at];
    if (startsWord(c)) {
      // "::" belongs to a word when a letter follows, as in shared::cta; a single ':' ends a label.
      while (continuesWord(peek()) || (peek() == ':' && peek(1) == ':' && continuesWord(peek(2))))
        at += peek() == ':' ? 2 : 1;
      return add(Token::Kind::word, begin);
    }
    if (std::isdigit(static_cast<unsigned char>(c))) {
      while (std::isalnum(static_cast<unsigned char>(peek())) || peek() == '.')
        ++at;
      return add(Token::Kind::number, begin);
    }
    if (c == '"') {
      for (++at; peek() != '"'; ++at)
        if (at >= source.size() || source[at] == '\n')
          throw Failure{fmt::format("line {}: the string that starts here is not closed", line)};
      ++at;
      return add(Token::Kind::text, begin);
    }
    if (std::string_view("{}()[]<>,;:+-@!|=*").find(c) == std::string_view::npos)
      throw Failure{fmt::format("line {}: character {:#04x} is not PTX", line, static_cast<unsigned char>(c))};
    ++at;
    add(Token::Kind::mark, begin);
  }

  std::string_view source;
  size_t at = 0;
  uint32_t line = 1;
  std::vector<Token> tokens;
};

} // namespace

std::vector<Token> tokenize(std::string_view source) { return Scanner(source).run(); }

} // namespace tercet::sim
