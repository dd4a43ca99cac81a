// Sizes are bounded before anything is allocated.
#include "syntax/Variables.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

namespace tercet::sim {

namespace {

constexpr uint64_t largest = uint64_t{1} << 32; // bytes of one variable
constexpr uint64_t largestImage = uint64_t{1} << 28;

uint64_t readValueBits(TokenReader &reader, Type type) {
  const Token &token = reader.peek();
  bool hexFloat = token.text.size() > 2 && token.text[0] == '0' &&
                  std::string_view("fFdD").find(token.text[1]) != std::string_view::npos;
  if (token.kind == Token::Kind::number && hexFloat) {
    reader.next();
    return integerLiteral(fmt::format("0x{}", token.text.substr(2)), token.line);
  }
  if (isFloat(type))
    reader.fail(fmt::format("'{}' is not a value of a .{}", token.text, nameOf(type)));
  return uint64_t(reader.expectInteger("a value"));
}

} // namespace

Variable readVariable(TokenReader &reader, bool initial) {
  Variable variable;
  std::optional<uint64_t> align;
  for (;;) {
    std::string_view word = reader.expectWord("a type");
    if (word == ".align") {
      align = uint64_t(reader.expectInteger("an alignment"));
      if (!std::has_single_bit(*align) || *align > 4096)
        reader.fail(fmt::format("the alignment {} is not a power of two up to 4096", *align));
    } else if (word == ".ptr" || word == ".global" || word == ".const" || word == ".shared") {
      continue; // attributes of a pointer parameter
    } else if (auto type = typeNamed(word.substr(1)); type && word[0] == '.') {
      variable.type = *type;
    } else if (word[0] != '.' && variable.type != Type::none) {
      variable.name = word;
      break;
    } else {
      reader.fail(fmt::format("'{}' is not known in a declaration", word));
    }
  }
  uint64_t size = std::max(bytesOf(variable.type), 1u);
  variable.align = align.value_or(size);
  variable.bytes = size;
  if (reader.accept('<')) {
    variable.count = uint64_t(reader.expectInteger("a number of registers"));
    reader.expect('>', "after a number of registers");
  }
  while (reader.accept('[')) {
    uint64_t extent = 0;
    if (!reader.peek().is(']'))
      extent = uint64_t(reader.expectInteger("an extent"));
    reader.expect(']', "after an extent");
    if (extent && variable.bytes > largest / extent)
      reader.fail(fmt::format("{} has more than {} bytes", variable.name, largest));
    variable.bytes *= extent;
  }
  if (initial && reader.accept('=')) {
    bool list = reader.accept('{');
    do {
      variable.values.push_back(readValueBits(reader, variable.type));
    } while (list && reader.accept(','));
    if (list)
      reader.expect('}', "after values");
    if (variable.values.size() * size > variable.bytes)
      reader.fail(fmt::format("{} is given more values than it holds", variable.name));
  }
  return variable;
}

uint64_t place(const Variable &variable, std::vector<std::byte> &image, TokenReader &reader) {
  uint64_t offset = alignUp(image.size(), variable.align);
  if (offset + variable.bytes > largestImage)
    reader.fail(fmt::format("variables take more than {} bytes", largestImage));
  image.resize(offset + variable.bytes);
  uint64_t size = std::max(bytesOf(variable.type), 1u);
  for (size_t i = 0; i < variable.values.size(); ++i)
    std::memcpy(image.data() + offset + i * size, &variable.values[i], size);
  return offset;
}

} // namespace tercet::sim
