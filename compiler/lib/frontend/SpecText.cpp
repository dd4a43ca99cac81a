// A scan of spec text by MLIR's lexical rules. MLIR's parser recurses once per bracket, trusts sizes and opens files that
// locations name; what this scan lets through costs it no more than a multiple of the text.
#include "SpecText.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringRef.h"

#include <utility>

using namespace llvm;
using namespace tercet;

// The largest built-in spec has 2 KB and nests 4 deep.
static constexpr size_t maxBytes = 1 << 20;
static constexpr size_t maxNesting = 64;
static constexpr size_t maxWord = 256;        // a number of n digits takes time n^2 to read
static constexpr size_t shown = 80;           // characters of a word that a message quotes
static constexpr size_t maxIntegerDigits = 2; // of a type's width: a value of i16777215 has 2 MB
static constexpr size_t maxResultDigits = 1;  // %x#4294967295 reserves room for all results before it
static constexpr StringRef openers = "([{<", closers = ")]}>";

namespace {

/// Builtin syntax that specs do not have, and the bracket that must follow for it to be that syntax: affine expressions
/// recurse without brackets, a dense value of one number has any size, and a diagnostic at a location opens its file.
struct ForeignSyntax {
  StringRef word;
  char bracket;
};
constexpr ForeignSyntax foreignSyntax[] = {
    {"affine_map", '<'}, {"affine_set", '<'}, {"dense", '<'}, {"dense_resource", '<'}, {"loc", '('}};

class Scan {
public:
  explicit Scan(const Spec &spec) : spec(spec), text(spec.text) {}

  Status run() {
    if (text.size() > maxBytes)
      return Status::make(Code::invalidSpec, "{}: error: the spec has {} bytes; the limit is {}", spec.origin,
                          text.size(), maxBytes);
    if (text.starts_with("ML\xefR"))
      return Status::make(Code::invalidSpec, "{}: error: the spec is MLIR bytecode; only text is accepted",
                          spec.origin);
    for (char c : text) {
      if (isControl(c))
        return refuse("the byte 0x{:02x} is no text", static_cast<unsigned>(c));
      ++at;
    }
    at = 0;
    while (at < text.size())
      TERCET_RETURN_IF_ERROR(token());
    return {};
  }

private:
  static bool isControl(char c) { return (c >= 0 && c < ' ' && c != '\n' && c != '\t' && c != '\r') || c == 0x7f; }
  static bool isWordCharacter(char c) { return isAlnum(c) || c == '_' || c == '.' || c == '$'; }

  Status token() {
    StringRef rest = text.drop_front(at);
    char c = rest.front();
    if (isSpace(c))
      return advance(1);
    if (rest.starts_with("//"))
      return advance(std::min(rest.find('\n'), rest.size()));
    StringRef before = std::exchange(word, {});
    if (c == '"')
      return string(rest);
    if (rest.starts_with("->"))
      return advance(2);
    if (rest.starts_with("{-#"))
      return refuse("{{-# is not part of a spec");
    if (openers.contains(c))
      return open(c, before);
    if (c == '#' || c == '!')
      return dialectName(rest);
    if (isWordCharacter(c))
      return bareWord(rest.take_while(isWordCharacter));
    if (c == '%' || c == '@' || c == '^')
      return boundedWord(1 + rest.drop_front().take_while(isWordCharacter).size());
    close(c);
    return advance(1);
  }

  Status advance(size_t length) {
    at += length;
    return {};
  }

  /// To behind the closing quote, or to the end of a line that has none, which the parser refuses.
  Status string(StringRef rest) {
    size_t length = 1;
    while (length < rest.size() && rest[length] != '"' && rest[length] != '\n')
      length += rest[length] == '\\' && length + 1 < rest.size() && rest[length + 1] != '\n' ? 2 : 1;
    return advance(std::min(length + 1, rest.size()));
  }

  Status open(char bracket, StringRef before) {
    for (const ForeignSyntax &syntax : foreignSyntax)
      if (before == syntax.word && bracket == syntax.bracket)
        return refuse("{}{} is not part of a spec", before.str(), bracket);
    if (brackets.size() == maxNesting)
      return refuse("brackets nest deeper than {}", maxNesting);
    brackets.push_back(bracket);
    return advance(1);
  }

  /// Closes the innermost bracket if it is of this kind. Others, such as the > of >=, close nothing: the depth counted
  /// is never less than the parser's.
  void close(char bracket) {
    size_t kind = closers.find(bracket);
    if (kind != StringRef::npos && !brackets.empty() && brackets.back() == openers[kind])
      brackets.pop_back();
  }

  /// #dialect.attribute, !dialect.type, or the #1 of %x#1. Aliases are refused: a chain of them nests without brackets,
  /// and each may stand for twice what the one before it stands for.
  Status dialectName(StringRef rest) {
    StringRef tail = rest.drop_front().take_while([](char c) { return isWordCharacter(c) || c == '-'; });
    bool isResult = rest.front() == '#' && !tail.empty() && all_of(tail, isDigit);
    if (isResult && tail.size() > maxResultDigits)
      return refuse("the result number #{} is out of range", tail.take_front(shown).str());
    if (!isResult && !tail.contains('.'))
      return refuse("{}{} is an alias; write attributes and types out", rest.front(), tail.take_front(shown).str());
    return boundedWord(1 + tail.size());
  }

  Status bareWord(StringRef found) {
    StringRef width = found;
    if (width.consume_front("si") || width.consume_front("ui") || width.consume_front("i"))
      if (width.size() > maxIntegerDigits && all_of(width, isDigit))
        return refuse("the type {} is wider than any integer of a spec", found.take_front(shown).str());
    word = found;
    return boundedWord(found.size());
  }

  Status boundedWord(size_t length) {
    if (length > maxWord)
      return refuse("a word of {} characters; the limit is {}", length, maxWord);
    return advance(length);
  }

  template <typename... Args> Status refuse(fmt::format_string<Args...> format, Args &&...args) {
    StringRef before = text.take_front(at);
    size_t column = at - (before.rfind('\n') + 1) + 1; // npos + 1 is 0
    return Status::make(Code::invalidSpec, "{}:{}:{}: error: {}", spec.origin, before.count('\n') + 1, column,
                        fmt::format(format, std::forward<Args>(args)...));
  }

  const Spec &spec;
  StringRef text;
  size_t at = 0;
  StringRef word; ///< the token before this one, if it is a bare word
  SmallVector<char> brackets;
};

} // namespace

Status compiler::checkSpecText(const Spec &spec) { return Scan(spec).run(); }
