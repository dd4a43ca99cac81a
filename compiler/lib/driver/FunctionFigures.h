// FunctionFigures: what every function of an object file takes: bytes of code and of stack. Read from the object, so
// that the figures are those of the code that runs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tercet::compiler {

struct FunctionFigures {
  int64_t codeBytes = 0;
  std::optional<int64_t> stackBytes; ///< absent where the object does not say
};

/// Global functions of an ELF object for x86-64, by name. Stack sizes come from its .stack_sizes section. Empty for
/// bytes that are no such object.
std::map<std::string, FunctionFigures> functionFigures(const std::vector<uint8_t> &object);

} // namespace tercet::compiler
