// Instructions are decoded as they are read; branches are bound when their scope closes, operand pointers at the end.
#include "syntax/Body.h"

#include "core/Control.h"
#include "syntax/Decoding.h"
#include "syntax/Variables.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace tercet::sim {

namespace {
constexpr size_t deepestScope = 64;
constexpr size_t deepestCall = 16, mostCalls = 10000;
constexpr size_t mostInstructions = size_t{1} << 21; // calls multiply what the text says
constexpr std::string_view returnLabel = "<return>";
constexpr uint64_t mostLocalBytes = 512 * 1024; // per thread, as on hardware
} // namespace

void BodyParser::run() {
  reader.expect('{', "before a kernel's body");
  openScope();
  while (!scopes.empty()) {
    if (reader.peek().kind == Token::Kind::end)
      reader.fail("the text ends inside a kernel");
    statement();
  }
  finish();
}

void BodyParser::openScope() {
  if (scopes.size() >= deepestScope)
    reader.fail(fmt::format("scopes nest deeper than {}", deepestScope));
  registers.open();
  scopes.emplace_back();
}

void BodyParser::closeScope() {
  LabelScope scope = std::move(scopes.back());
  scopes.pop_back();
  registers.close();
  for (const Branch &branch : scope.branches) {
    if (resolve(scope, branch))
      continue;
    if (scopes.empty())
      throw Failure{fmt::format("line {}: there is no label {}", branch.line, branch.label)};
    scopes.back().branches.push_back(branch);
  }
}

bool BodyParser::resolve(const LabelScope &scope, const Branch &branch) {
  if (!branch.indexed) {
    auto found = scope.labels.find(branch.label);
    if (found != scope.labels.end())
      kernel.code[branch.instruction].target = int32_t(found->second);
    return found != scope.labels.end();
  }
  auto table = scope.tables.find(branch.label);
  if (table == scope.tables.end())
    return false;
  kernel.code[branch.instruction].target = int32_t(kernel.branchTables.size());
  std::vector<uint32_t> &targets = kernel.branchTables.emplace_back();
  for (std::string_view name : table->second) {
    auto found = scope.labels.find(name);
    if (found == scope.labels.end())
      throw Failure{fmt::format("line {}: there is no label {} beside the table {}", branch.line, name, branch.label)};
    targets.push_back(found->second);
  }
  return true;
}

void BodyParser::statement() {
  if (reader.accept('{'))
    return openScope();
  if (reader.accept('}'))
    return closeScope();
  if (reader.accept(';'))
    return;
  const Token &token = reader.peek();
  if (token.kind == Token::Kind::word && token.text[0] == '.')
    return directive();
  if (token.kind == Token::Kind::word && reader.peek(1).is(':'))
    return label();
  if (token.kind == Token::Kind::word && (token.text == "call" || token.text.substr(0, 5) == "call."))
    return call();
  instruction();
}

void BodyParser::label() {
  std::string_view name = reader.next().text;
  reader.expect(':', "after a label");
  if (reader.accept(".branchtargets")) {
    std::vector<std::string_view> &targets = scopes.back().tables[name];
    do {
      targets.push_back(reader.expectWord("a label"));
    } while (reader.accept(','));
    reader.expect(';', "after .branchtargets");
    return;
  }
  if (!scopes.back().labels.emplace(name, uint32_t(kernel.code.size())).second)
    reader.fail(fmt::format("label {} is there twice", name));
}

std::vector<std::string_view> BodyParser::arguments() {
  std::vector<std::string_view> names;
  if (!reader.accept('('))
    return names;
  while (!reader.accept(')')) {
    names.push_back(reader.expectWord("an argument"));
    if (!reader.peek().is(')'))
      reader.expect(',', "between arguments");
  }
  return names;
}

void BodyParser::bind(const std::vector<std::string_view> &names, const std::vector<std::string_view> &given) {
  if (names.size() != given.size())
    reader.fail(fmt::format("a call gives {} arguments or results where there are {}", given.size(), names.size()));
  for (size_t i = 0; i < names.size(); ++i) {
    auto symbol = registers.findSymbol(given[i]);
    if (!symbol)
      reader.fail(fmt::format("a call gives {}, which is not known", given[i]));
    registers.declareSymbol(names[i], *symbol);
  }
}

void BodyParser::call() {
  reader.next();
  std::vector<std::string_view> results = arguments();
  if (!results.empty())
    reader.expect(',', "after a call's results");
  std::string_view name = reader.expectWord("a function");
  std::vector<std::string_view> given;
  if (reader.accept(','))
    given = arguments();
  reader.expect(';', "after a call");
  auto found = functions.find(name);
  if (found == functions.end() || !found->second.body)
    reader.fail(fmt::format("calls {}, whose body is not in the text", name));
  if (++callDepth > deepestCall || ++calls > mostCalls)
    reader.fail(fmt::format("calls nest deeper than {} or are more than {}", deepestCall, mostCalls));
  size_t behind = reader.position(), depth = scopes.size();
  reader.seek(found->second.body);
  reader.expect('{', "before a function's body");
  openScope();
  bind(found->second.results, results);
  bind(found->second.parameters, given);
  while (scopes.size() > depth) {
    if (reader.peek().kind == Token::Kind::end)
      reader.fail("the text ends inside a function");
    if (scopes.size() == depth + 1 && reader.peek().is('}'))
      scopes.back().labels[returnLabel] = uint32_t(kernel.code.size());
    statement();
  }
  reader.seek(behind);
  --callDepth;
}

void BodyParser::directive() {
  const Token word = reader.next();
  if (word.text == ".reg")
    return declareRegisters();
  if (word.text == ".shared")
    return declareVariable(Space::shared);
  if (word.text == ".local" || word.text == ".param") // what a call gives and takes lies in local memory
    return declareVariable(Space::local);
  if (word.text == ".pragma")
    return pragma();
  if (word.text == ".loc") { // no ';': it ends with its line
    while (reader.peek().line == word.line && reader.peek().kind != Token::Kind::end)
      reader.next();
    return;
  }
  throw Failure{fmt::format("line {}: directive {} is not known inside a kernel", word.line, word.text)};
}

// Hints, but for the bytes that the next load needs: compilers widen loads over bytes that nobody has written.
void BodyParser::pragma() {
  constexpr std::string_view mask = "\"used_bytes_mask ";
  for (; reader.peek().kind == Token::Kind::text || reader.peek().is(','); reader.next()) {
    std::string_view text = reader.peek().text;
    if (text.substr(0, mask.size()) != mask)
      continue;
    text.remove_prefix(mask.size());
    int base = text.substr(0, 2) == "0x" ? 16 : 10;
    text.remove_prefix(base == 16 ? 2 : 0);
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), usedBytes, base);
    if (error != std::errc() || *end != '"' || usedBytes == 0)
      reader.fail("used_bytes_mask takes a number of 32 bits that is not 0");
  }
  reader.expect(';', "after .pragma");
}

void BodyParser::declareRegisters() {
  Variable first = readVariable(reader, false);
  registers.declare(first.name, first.type, first.count);
  while (reader.accept(',')) {
    std::string_view name = reader.expectWord("a register");
    std::optional<uint64_t> count;
    if (reader.accept('<')) {
      count = uint64_t(reader.expectInteger("a number of registers"));
      reader.expect('>', "after a number of registers");
    }
    registers.declare(name, first.type, count);
  }
  reader.expect(';', "after registers");
}

void BodyParser::declareVariable(Space space) {
  Variable variable = readVariable(reader, false);
  reader.expect(';', "after a variable");
  uint64_t offset;
  if (space == Space::local) {
    offset = alignUp(kernel.localBytes, variable.align);
    if (offset + variable.bytes > mostLocalBytes)
      reader.fail(fmt::format("local memory takes more than {} bytes per thread", mostLocalBytes));
    kernel.localBytes = uint32_t(offset + variable.bytes);
  } else {
    offset = alignUp(sharedBytes, variable.align);
    if (offset + variable.bytes > (1u << 20))
      reader.fail("static shared memory takes more than 1 MiB");
    sharedBytes = offset + variable.bytes;
  }
  registers.declareSymbol(variable.name, {space, offset});
}

void BodyParser::instruction() {
  Statement statement = readStatement(reader);
  size_t mnemonicParts = 0;
  const Rule *rule = findRule(statement, mnemonicParts);
  if (!rule)
    throw Failure{fmt::format("line {}: opcode {} is not known", statement.line, statement.opcode)};
  Decoding decoding(statement, registers, kernel, mnemonicParts);
  rule->decode(decoding);
  decoding.finish();
  if (usedBytes && statement.parts[0] != "ld")
    throw Failure{fmt::format("line {}: used_bytes_mask is of a load, not of {}", statement.line, statement.opcode)};
  decoding.in.usedBytes = std::exchange(usedBytes, 0);
  bool returns = callDepth && decoding.in.execute == executeExit && statement.parts[0] == "ret";
  if (returns)
    decoding.run(executeBranch);
  if (returns || decoding.in.hasLabel)
    scopes.back().branches.push_back({kernel.code.size(),
                                      returns ? returnLabel : decoding.label(decoding.in.flag ? 1 : 0), statement.line,
                                      decoding.in.hasLabel && decoding.in.flag});
  if (kernel.code.size() >= mostInstructions)
    throw Failure{fmt::format("line {}: the kernel has more than {} instructions", statement.line, mostInstructions)};
  append(decoding);
}

uint16_t BodyParser::kindNumber(const std::string &kind) {
  auto found = std::find(program.kinds.begin(), program.kinds.end(), kind);
  if (found == program.kinds.end())
    found = program.kinds.insert(program.kinds.end(), kind);
  return uint16_t(found - program.kinds.begin());
}

void BodyParser::append(const Decoding &decoding) {
  Instruction in = decoding.in;
  in.index = uint32_t(kernel.code.size());
  in.kind = kindNumber(decoding.kind());
  in.toCount = uint16_t(decoding.toSlots().size());
  in.fromCount = uint16_t(decoding.fromSlots().size());
  size_t to = kernel.operands.size();
  kernel.operands.insert(kernel.operands.end(), decoding.toSlots().begin(), decoding.toSlots().end());
  size_t from = kernel.operands.size();
  kernel.operands.insert(kernel.operands.end(), decoding.fromSlots().begin(), decoding.fromSlots().end());
  operandBegins.emplace_back(to, from);
  kernel.code.push_back(in);
}

void BodyParser::finish() {
  // Control may run into the closing brace, and a label may stand before it: that is a return.
  Instruction last;
  last.execute = executeExit;
  last.index = uint32_t(kernel.code.size());
  last.line = reader.peek().line;
  last.kind = kindNumber("ret");
  kernel.code.push_back(last);
  operandBegins.emplace_back(0, 0);
  for (size_t i = 0; i < kernel.code.size(); ++i) {
    kernel.code[i].to = kernel.operands.data() + operandBegins[i].first;
    kernel.code[i].from = kernel.operands.data() + operandBegins[i].second;
  }
  kernel.info.staticSharedBytes = uint32_t(sharedBytes);
  kernel.info.instructions = uint32_t(kernel.code.size());
}

} // namespace tercet::sim
