// Instructions from tokens. Lists nest at most one deep inside brackets, so recursion is bounded by construction.
#include "syntax/Statement.h"

#include "core/Types.h"

#include <fmt/format.h>

#include <limits>

namespace tercet::sim {

bool TokenReader::accept(char mark) {
  if (!peek().is(mark))
    return false;
  next();
  return true;
}

bool TokenReader::accept(std::string_view word) {
  if (!peek().is(word))
    return false;
  next();
  return true;
}

const Token &TokenReader::expect(char mark, std::string_view where) {
  if (!peek().is(mark))
    fail(fmt::format("expected '{}' {}, not '{}'", mark, where, peek().text));
  return next();
}

std::string_view TokenReader::expectWord(std::string_view what) {
  if (peek().kind != Token::Kind::word)
    fail(fmt::format("expected {}, not '{}'", what, peek().text));
  return next().text;
}

int64_t TokenReader::expectInteger(std::string_view what) {
  bool minus = accept('-');
  if (peek().kind != Token::Kind::number)
    fail(fmt::format("expected {}, not '{}'", what, peek().text));
  const Token &token = next();
  uint64_t value = integerLiteral(token.text, token.line);
  return static_cast<int64_t>(minus ? -value : value);
}

void TokenReader::fail(std::string_view sentence) const {
  throw Failure{fmt::format("line {}: {}", peek().line, sentence)};
}

uint64_t integerLiteral(std::string_view text, uint32_t line) {
  std::string_view digits = text;
  if (!digits.empty() && (digits.back() == 'U' || digits.back() == 'u'))
    digits.remove_suffix(1);
  unsigned base = 10;
  if (digits.size() > 2 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'))
    base = 16;
  else if (digits.size() > 2 && digits[0] == '0' && (digits[1] == 'b' || digits[1] == 'B'))
    base = 2;
  else if (digits.size() > 1 && digits[0] == '0')
    base = 8;
  if (base == 16 || base == 2)
    digits.remove_prefix(2);
  uint64_t value = 0;
  for (char c : digits) {
    unsigned digit = c >= '0' && c <= '9'   ? c - '0'
                     : c >= 'a' && c <= 'f' ? c - 'a' + 10
                     : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                            : 99;
    if (digit >= base || value > (std::numeric_limits<uint64_t>::max() - digit) / base)
      throw Failure{fmt::format("line {}: '{}' is not an integer of 64 bits", line, text)};
    value = value * base + digit;
  }
  if (digits.empty())
    throw Failure{fmt::format("line {}: '{}' is not an integer", line, text)};
  return value;
}

std::vector<std::string_view> splitAtDots(std::string_view word) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0;;) {
    size_t dot = word.find('.', begin);
    parts.push_back(word.substr(begin, dot - begin));
    if (dot == std::string_view::npos)
      return parts;
    begin = dot + 1;
  }
}

namespace {

// name, number, -number, name+4, name+-4
Operand readValue(TokenReader &reader) {
  Operand value;
  value.negated = reader.accept('!');
  value.minus = reader.accept('-');
  const Token &token = reader.peek();
  if (token.kind != Token::Kind::word && token.kind != Token::Kind::number)
    reader.fail(fmt::format("expected an operand, not '{}'", token.text));
  value.name = token.text;
  value.number = token.kind == Token::Kind::number;
  reader.next();
  if (value.minus && !value.number)
    reader.fail(fmt::format("'-{}' is not an operand", value.name));
  if (reader.accept('+'))
    value.offset = reader.expectInteger("an offset after '+'");
  else if (reader.peek().is('-'))
    value.offset = reader.expectInteger("an offset");
  return value;
}

Operand readList(TokenReader &reader) {
  Operand list;
  list.kind = Operand::Kind::list;
  reader.expect('{', "before a list");
  do {
    list.items.push_back(readValue(reader));
  } while (reader.accept(','));
  reader.expect('}', "after a list");
  return list;
}

Operand readOperand(TokenReader &reader) {
  if (reader.peek().is('{'))
    return readList(reader);
  if (reader.accept('[')) {
    Operand memory = readValue(reader);
    memory.kind = Operand::Kind::memory;
    while (reader.accept(','))
      memory.items.push_back(reader.peek().is('{') ? readList(reader) : readValue(reader));
    reader.expect(']', "after an address");
    return memory;
  }
  Operand value = readValue(reader);
  if (!reader.accept('|'))
    return value;
  Operand pair;
  pair.kind = Operand::Kind::pair;
  pair.items.push_back(std::move(value));
  pair.items.push_back(readValue(reader));
  return pair;
}

} // namespace

Statement readStatement(TokenReader &reader) {
  Statement statement;
  statement.line = reader.peek().line;
  statement.textBegin = reader.peek().begin;
  if (reader.accept('@')) {
    statement.guardNegated = reader.accept('!');
    statement.guard = reader.expectWord("a predicate after '@'");
  }
  statement.opcode = reader.expectWord("an opcode");
  statement.parts = splitAtDots(statement.opcode);
  if (!reader.peek().is(';')) {
    do {
      statement.operands.push_back(readOperand(reader));
    } while (reader.accept(','));
  }
  statement.textEnd = reader.peek().begin;
  reader.expect(';', fmt::format("after {}", statement.opcode));
  return statement;
}

} // namespace tercet::sim
