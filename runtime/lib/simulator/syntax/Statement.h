// One instruction as written: guard, opcode, operands; nothing resolved yet.
#pragma once

#include "syntax/Tokens.h"

#include <string_view>
#include <vector>

namespace tercet::sim {

/// A value (register, number or symbol, with an offset), {a, b}, [base + offset, {..}], a|b or !a.
struct Operand {
  enum class Kind : uint8_t { value, list, memory, pair };
  Kind kind = Kind::value;
  std::string_view name; ///< of a value, or of the base in brackets; numbers keep their text
  bool number = false;   ///< name is a number
  bool minus = false;    ///< -number
  bool negated = false;  ///< !name
  int64_t offset = 0;
  std::vector<Operand> items; ///< of a list or a pair; in brackets: what follows the base
};

struct Statement {
  std::string_view guard; ///< register, or empty
  bool guardNegated = false;
  std::string_view opcode;
  std::vector<std::string_view> parts; ///< the opcode, split at its dots
  std::vector<Operand> operands;
  uint32_t line = 0;
  uint32_t textBegin = 0, textEnd = 0;
};

/// A reader of tokens with the few things that both declarations and statements need.
class TokenReader {
public:
  explicit TokenReader(const std::vector<Token> &tokens) : tokens(tokens) {}

  const Token &peek(size_t ahead = 0) const { return tokens[std::min(at + ahead, tokens.size() - 1)]; }
  const Token &next() { return tokens[at < tokens.size() - 1 ? at++ : at]; }
  size_t position() const { return at; }
  void seek(size_t position) { at = position; }
  bool accept(char mark);
  bool accept(std::string_view word);
  const Token &expect(char mark, std::string_view where);
  std::string_view expectWord(std::string_view what);
  /// An integer literal with an optional sign.
  int64_t expectInteger(std::string_view what);
  [[noreturn]] void fail(std::string_view sentence) const;

private:
  const std::vector<Token> &tokens;
  size_t at = 0;
};

/// The unsigned value of an integer literal (decimal, 0x, 0b, octal, a trailing U); throws Failure otherwise.
uint64_t integerLiteral(std::string_view text, uint32_t line);

/// Reads one instruction through its ';'.
Statement readStatement(TokenReader &reader);

/// "a.b::c.d" -> {"a", "b::c", "d"}
std::vector<std::string_view> splitAtDots(std::string_view word);

} // namespace tercet::sim
