// PTX as tokens. Words keep their dots ("mma.sync.aligned", "%tid.x", ".reg"); comments are dropped.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace tercet::sim {

struct Token {
  enum class Kind : uint8_t { word, number, text, mark, end };
  Kind kind = Kind::end;
  std::string_view text;
  uint32_t line = 0;
  uint32_t begin = 0; ///< offset in the source

  bool is(char mark) const { return kind == Kind::mark && text.size() == 1 && text[0] == mark; }
  bool is(std::string_view word) const { return kind == Kind::word && text == word; }
};

/// The tokens of `source`, ended by one of Kind::end. They point into it. Throws Failure on a character or an unclosed
/// comment or string that PTX does not have.
std::vector<Token> tokenize(std::string_view source);

} // namespace tercet::sim
