// Names of a kernel's body: registers by scope, special registers, constants, variables; and the slots they get.
#pragma once

#include "core/Program.h"
#include "syntax/Tokens.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tercet::sim {

struct Register {
  uint32_t slot = 0;
  Type type = Type::none;
};

/// A variable or parameter: its address within its space.
struct Symbol {
  Space space = Space::generic;
  uint64_t address = 0;
};

/// Slots are handed out at first use, so that what a kernel declares and never touches costs nothing, and the total is
/// bounded by the length of the text.
class Registers {
public:
  explicit Registers(Kernel &kernel) : kernel(kernel) { open(); }

  void open() { scopes.emplace_back(); }
  void close() { scopes.pop_back(); }
  size_t depth() const { return scopes.size(); }

  /// `%r` with count 8 declares %r0 to %r7; no count declares the name itself.
  void declare(std::string_view name, Type type, std::optional<uint64_t> count);
  void declareSymbol(std::string_view name, Symbol symbol) { scopes.back().symbols[std::string(name)] = symbol; }

  /// The register of this name in the innermost scope that has it; nothing if there is none.
  std::optional<Register> find(std::string_view name);
  std::optional<Symbol> findSymbol(std::string_view name) const;
  /// A slot that holds the special register; nothing if there is none of this name.
  std::optional<Register> special(std::string_view name, bool wide);
  /// A slot that holds the value in every lane.
  uint32_t constant(uint64_t value, bool wide);
  uint32_t constantPredicate(bool value);
  /// A slot nobody else uses: where a result goes that is not wanted.
  uint32_t scratch(Type type);

private:
  struct Range {
    uint64_t count;
    Type type;
  };
  struct Scope {
    std::map<std::string, Register, std::less<>> registers;
    std::map<std::string, Range, std::less<>> ranges;
    std::map<std::string, Type, std::less<>> singles; ///< declared, without a slot yet
    std::map<std::string, Symbol, std::less<>> symbols;
  };
  static std::optional<Register> findIn(Scope &scope, std::string_view name, Registers &file);

  Kernel &kernel;
  std::vector<Scope> scopes;
  std::map<std::pair<bool, uint64_t>, uint32_t> constants;
  std::map<std::pair<std::string, bool>, uint32_t, std::less<>> specials;
  std::optional<uint32_t> predicateConstants[2];
};

} // namespace tercet::sim
