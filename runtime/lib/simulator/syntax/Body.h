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

/// Reads one body and fills the kernel's code, operands and sizes. Labels are known in their scope and those within it,
/// and bound when their scope ends.
class BodyParser {
public:
  BodyParser(TokenReader &reader, Program &program, Kernel &kernel, Registers &registers, uint64_t sharedBytes)
      : reader(reader), program(program), kernel(kernel), registers(registers), sharedBytes(sharedBytes) {}

  /// From '{' to its '}'. Throws Failure.
  void run();

private:
  struct Branch {
    size_t instruction;
    std::string_view label;
    uint32_t line;
  };
  struct LabelScope {
    std::map<std::string_view, uint32_t> labels;
    std::vector<Branch> branches;
  };

  void statement();
  void directive();
  void declareRegisters();
  void declareVariable(Space space);
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
  uint64_t sharedBytes;
  std::vector<LabelScope> scopes;
  std::vector<std::pair<size_t, size_t>> operandBegins; ///< of each instruction: where `to` and `from` begin
};

} // namespace tercet::sim
