// The body of a kernel: scopes, declarations, labels and instructions.
#pragma once

#include "syntax/Registers.h"
#include "syntax/Statement.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tercet::sim {

class Decoding;

/// A device function: where its body stands in the text, and what its parameters and results are called.
struct Function {
  std::vector<std::string_view> results, parameters;
  size_t body = 0; ///< the token '{'; 0 where there is only a declaration
};
using Functions = std::map<std::string_view, Function>;

/// Reads one body and fills the kernel's code, operands and sizes. Labels are known in their scope and those within it,
/// and bound when their scope ends. Calls are inlined: the function's body is read once more, in a scope of its own.
class BodyParser {
public:
  BodyParser(TokenReader &reader, Program &program, Kernel &kernel, Registers &registers, const Functions &functions,
             uint64_t sharedBytes)
      : reader(reader), program(program), kernel(kernel), registers(registers), functions(functions),
        sharedBytes(sharedBytes) {}

  /// From '{' to its '}'. Throws Failure.
  void run();

private:
  struct Branch {
    size_t instruction;
    std::string_view label;
    uint32_t line;
    bool indexed; ///< the label names a table of targets
  };
  struct LabelScope {
    std::map<std::string_view, uint32_t> labels;
    std::map<std::string_view, std::vector<std::string_view>> tables;
    std::vector<Branch> branches;
  };

  void statement();
  void directive();
  void pragma();
  void declareRegisters();
  void declareVariable(Space space);
  void label();
  void call();
  std::vector<std::string_view> arguments();
  void bind(const std::vector<std::string_view> &names, const std::vector<std::string_view> &given);
  bool resolve(const LabelScope &scope, const Branch &branch);
  void instruction();
  void append(const Decoding &decoding);
  void openScope();
  void closeScope();
  void finish();
  uint16_t kindNumber(const std::string &kind);

  TokenReader &reader;
  Program &program;
  Kernel &kernel;
  Registers &registers;
  const Functions &functions;
  uint64_t sharedBytes;
  size_t callDepth = 0, calls = 0;
  uint32_t usedBytes = 0; ///< of the next instruction, if not 0
  std::vector<LabelScope> scopes;
  std::vector<std::pair<size_t, size_t>> operandBegins; ///< of each instruction: where `to` and `from` begin
};

} // namespace tercet::sim
