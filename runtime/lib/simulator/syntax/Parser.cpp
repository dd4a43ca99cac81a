// Module scope. Device functions are noted by where they stand, and read at every call.
#include "syntax/Parser.h"

#include "syntax/Body.h"
#include "syntax/Variables.h"

#include <fmt/format.h>

namespace tercet::sim {

namespace {

constexpr size_t longestSource = size_t{1} << 28;
constexpr uint64_t mostParameterBytes = 32764; // of a kernel, as on hardware

class ModuleParser {
public:
  ModuleParser(Program &program, const std::vector<Token> &tokens) : program(program), reader(tokens) {}

  void run() {
    while (reader.peek().kind != Token::Kind::end)
      directive();
    for (const Kernel &kernel : program.kernels)
      program.infos.push_back(kernel.info);
  }

private:
  struct ModuleVariable {
    std::string_view name;
    Symbol symbol;
  };

  void directive() {
    const Token word = reader.next();
    if (word.text == ".version" || word.text == ".address_size" || word.text == ".file") {
      if (word.text == ".address_size" && !reader.peek().is(';') && reader.peek().text != "64")
        reader.fail("addresses have 64 bits in Tercet's kernels");
      while (reader.peek().line == word.line && reader.peek().kind != Token::Kind::end)
        reader.next();
    } else if (word.text == ".target") {
      program.target = reader.expectWord("an architecture");
      while (reader.accept(','))
        reader.expectWord("an option of .target");
    } else if (word.text == ".section") {
      skipSection();
    } else if (word.text == ".pragma") {
      while (reader.peek().kind == Token::Kind::text || reader.peek().is(','))
        reader.next();
      reader.expect(';', "after .pragma");
    } else if (word.text == ".visible" || word.text == ".extern" || word.text == ".weak") {
      external = word.text == ".extern"; // linkage; what it applies to follows
    } else if (word.text == ".global" || word.text == ".const" || word.text == ".shared") {
      variable(word.text == ".global" ? Space::global : word.text == ".const" ? Space::constant : Space::shared);
    } else if (word.text == ".entry") {
      kernel();
    } else if (word.text == ".func") {
      function();
    } else {
      throw Failure{fmt::format("line {}: '{}' is not known at module scope", word.line, word.text)};
    }
  }

  void skipSection() {
    while (!reader.peek().is('{') && reader.peek().kind != Token::Kind::end)
      reader.next();
    reader.expect('{', "after .section");
    while (!reader.peek().is('}') && reader.peek().kind != Token::Kind::end)
      reader.next();
    reader.expect('}', "after a section");
  }

  void variable(Space space) {
    Variable variable = readVariable(reader, true);
    reader.expect(';', "after a variable");
    Symbol symbol{space, 0};
    if (space == Space::shared) {
      // Arrays without a size are the launch's dynamic shared memory, behind all that has a size.
      if (variable.bytes) {
        symbol.address = alignUp(sharedBytes, variable.align);
        sharedBytes = symbol.address + variable.bytes;
        if (sharedBytes > (1u << 20))
          reader.fail("static shared memory takes more than 1 MiB");
      } else {
        dynamicAlign = std::max(dynamicAlign, variable.align);
        dynamic.push_back(variable.name);
        external = false;
        return;
      }
    } else if (external) {
      reader.fail(fmt::format("{} is defined nowhere", variable.name));
    } else if (space == Space::global) {
      symbol.address = window::module + place(variable, program.moduleImage, reader);
    } else {
      symbol.address = place(variable, program.constantImage, reader);
    }
    variables.push_back({variable.name, symbol});
    external = false;
  }

  void kernel() {
    program.kernels.emplace_back();
    Kernel &kernel = program.kernels.back();
    kernel.info.name = reader.expectWord("a kernel's name");
    Registers registers(kernel);
    for (const ModuleVariable &variable : variables)
      registers.declareSymbol(variable.name, variable.symbol);
    uint64_t dynamicOffset = alignUp(sharedBytes, dynamicAlign);
    for (std::string_view name : dynamic)
      registers.declareSymbol(name, {Space::shared, dynamicOffset});
    kernel.usesDynamicShared = !dynamic.empty();
    parameters(kernel, registers);
    limits(kernel);
    BodyParser(reader, program, kernel, registers, functions, dynamic.empty() ? sharedBytes : dynamicOffset).run();
    if (!dynamic.empty() && kernel.info.staticSharedBytes > dynamicOffset)
      throw Failure{fmt::format("kernel {} has shared variables of its own besides dynamic ones", kernel.info.name)};
    external = false;
  }

  // .func (results) name (parameters) { .. } or ;
  void function() {
    Function function;
    if (reader.peek().is('('))
      function.results = names();
    std::string_view name = reader.expectWord("a function's name");
    if (reader.peek().is('('))
      function.parameters = names();
    while (reader.peek().kind == Token::Kind::word || reader.peek().kind == Token::Kind::number ||
           reader.peek().is(','))
      reader.next(); // .noreturn and limits
    if (reader.peek().is('{')) {
      function.body = reader.position();
      size_t open = 0;
      do {
        if (reader.peek().kind == Token::Kind::end)
          reader.fail("the text ends inside a function");
        open += reader.peek().is('{');
        open -= reader.peek().is('}');
        reader.next();
      } while (open);
    } else {
      reader.expect(';', "after a function without a body");
    }
    Function &known = functions[name];
    if (!known.body)
      known = std::move(function);
    external = false;
  }

  std::vector<std::string_view> names() {
    std::vector<std::string_view> found;
    reader.expect('(', "before parameters");
    while (!reader.accept(')')) {
      if (reader.expectWord("a parameter") != ".param")
        reader.fail("expected .param");
      found.push_back(readVariable(reader, false).name);
      if (!reader.peek().is(')'))
        reader.expect(',', "between parameters");
    }
    return found;
  }

  void parameters(Kernel &kernel, Registers &registers) {
    if (!reader.accept('('))
      return;
    uint64_t bytes = 0;
    while (!reader.accept(')')) {
      if (reader.expectWord("a parameter") != ".param")
        reader.fail("expected .param");
      Variable parameter = readVariable(reader, false);
      uint64_t offset = alignUp(bytes, parameter.align);
      bytes = offset + parameter.bytes;
      if (bytes > mostParameterBytes)
        reader.fail(fmt::format("a kernel's parameters take at most {} bytes", mostParameterBytes));
      registers.declareSymbol(parameter.name, {Space::param, offset});
      kernel.info.parameters.push_back({std::string(parameter.name), uint32_t(offset), uint32_t(parameter.bytes)});
      if (!reader.peek().is(')'))
        reader.expect(',', "between parameters");
    }
    kernel.info.parameterBytes = uint32_t(bytes);
  }

  // .maxntid 128, 1, 1 and its like, between parameters and body.
  void limits(Kernel &kernel) {
    while (!reader.peek().is('{')) {
      std::string_view word = reader.expectWord("a kernel's body");
      std::array<uint32_t, 3> values{1, 1, 1};
      size_t count = 0;
      while (reader.peek().kind == Token::Kind::number && count < 3) {
        values[count++] = uint32_t(reader.expectInteger("a number"));
        if (!reader.accept(','))
          break;
      }
      if (word == ".maxntid")
        kernel.info.maxThreads = values;
      else if (word == ".reqntid")
        kernel.info.requiredThreads = values;
      else if (word == ".reqnctapercluster")
        kernel.info.requiredCluster = values;
      else if (word != ".minnctapersm" && word != ".maxnreg" && word != ".explicitcluster" &&
               word != ".maxclusterrank" && word != ".maxnctapersm" && word != ".blocksareclusters")
        reader.fail(fmt::format("'{}' is not known in front of a kernel's body", word));
    }
  }

  Program &program;
  TokenReader reader;
  std::vector<ModuleVariable> variables;
  std::vector<std::string_view> dynamic;
  Functions functions;
  uint64_t dynamicAlign = 16;
  uint64_t sharedBytes = 0;
  bool external = false;
};

} // namespace

std::shared_ptr<const Program> parseProgram(std::string_view source) {
  if (source.size() > longestSource)
    throw Failure{fmt::format("the text has {} bytes; at most {} are read", source.size(), longestSource)};
  auto program = std::make_shared<Program>();
  program->source = source;
  std::vector<Token> tokens = tokenize(program->source);
  ModuleParser(*program, tokens).run();
  if (program->kernels.empty())
    throw Failure{"the text has no .entry"};
  return program;
}

} // namespace tercet::sim
