// A scan of spec text by MLIR's lexical rules. MLIR's parser recurses once per bracket, trusts sizes and opens files that
// locations name; what this scan lets through costs it no more than a multiple of the text.
#include "SpecText.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"

#include <utility>

using namespace llvm;
using namespace tercet;

// The largest built-in spec has 2 KB and nests 4 deep.
static constexpr size_t maxBytes = 1 << 20;
static constexpr size_t maxNesting = 64;
static constexpr size_t maxWord = 256;        // a number of n digits takes time n^2 to read
static constexpr size_t shown = 80;           // characters of a word that a message quotes
static constexpr size_t longestLine = 256;    // that a message quotes
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
  static bool isNameCharacter(char c) { return isWordCharacter(c) || c == '-'; }

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
    if (c == '@' || c == '^') {
      size_t length = 1 + rest.drop_front().take_while(isWordCharacter).size();
      takesArguments = rest.drop_front(std::min(length, rest.size())).ltrim().starts_with("(");
      return boundedWord(length);
    }
    if (c == '%')
      return valueName(rest);
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
    brackets.push_back({bracket, names.size(), std::exchange(takesArguments, false)});
    return advance(1);
  }

  /// Closes the innermost bracket if it is of this kind. Others, such as the > of >=, close nothing: the depth counted
  /// is never less than the parser's.
  void close(char bracket) {
    size_t kind = closers.find(bracket);
    if (kind == StringRef::npos || brackets.empty() || brackets.back().opener != openers[kind])
      return;
    for (size_t before = brackets.back().namesBefore; bracket == '}' && names.size() > before; names.pop_back())
      --usable[names.back()];
    brackets.pop_back();
  }

  /// %name: of an argument, of the result that it is followed by = for, or of one of those before. MLIR's parser lets a
  /// name stand before its definition, and when that definition is in a region that does not parse, holds on to a value
  /// that is gone.
  Status valueName(StringRef rest) {
    StringRef name = rest.take_front(1 + rest.drop_front().take_while(isNameCharacter).size());
    if (name.size() > maxWord)
      return boundedWord(name.size());
    bool isArgument = !brackets.empty() && brackets.back().listsArguments;
    if (isArgument || rest.drop_front(name.size()).ltrim().starts_with("="))
      ++usable[names.emplace_back(name)];
    else if (usable.lookup(name) == 0)
      return refuse("{} is not defined before it is used{}", name.take_front(shown).str(), quotedLine());
    return advance(name.size());
  }

  /// #dialect.attribute, !dialect.type, or the #1 of %x#1. Aliases are refused: a chain of them nests without brackets,
  /// and each may stand for twice what the one before it stands for.
  Status dialectName(StringRef rest) {
    StringRef tail = rest.drop_front().take_while(isNameCharacter);
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

  /// The line and a caret below the current place, as the parser's messages have them.
  std::string quotedLine() const {
    size_t begin = text.take_front(at).rfind('\n') + 1; // npos + 1 is 0
    StringRef line = text.drop_front(begin).take_until([](char c) { return c == '\n'; });
    if (line.size() > longestLine)
      return {};
    return fmt::format("\n{}\n{}^", line.str(), std::string(at - begin, ' '));
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
  StringRef word;              ///< the token before this one, if it is a bare word
  bool takesArguments = false; ///< the next bracket lists the arguments of a spec or a block
  struct Bracket {
    char opener;
    size_t namesBefore; ///< of names
    bool listsArguments;
  };
  SmallVector<Bracket> brackets;
  SmallVector<StringRef> names; ///< of values, that may be used here, in order
  StringMap<unsigned> usable;   ///< how often a name is among them
};

} // namespace

Status compiler::checkSpecText(const Spec &spec) { return Scan(spec).run(); }
