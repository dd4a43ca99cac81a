// Decoding: what a family's decode function sees of one instruction, and what it builds.
#pragma once

#include "core/Program.h"
#include "syntax/Registers.h"
#include "syntax/Statement.h"

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tercet::sim {

/// A register must have the size of the instruction's type, or may be larger (ld, st and cvt).
enum class Width : uint8_t { exact, atLeast };

/// A decode function takes every modifier and reads every operand; what is left over is an error of the text. It throws
/// Failure through fail(). It sets the handler with run().
class Decoding {
public:
  Decoding(const Statement &statement, Registers &registers, Kernel &kernel, size_t mnemonicParts);

  /// The instruction under construction; `to` and `from` are appended to by the functions below.
  Instruction in;
  const Statement &statement;
  Kernel &kernel;

  // Modifiers.
  bool take(std::string_view modifier);
  /// Takes any of these that is there and gives its value; `otherwise` if none is.
  template <typename T> T takeOne(std::initializer_list<std::pair<std::string_view, T>> choices, T otherwise) {
    for (const auto &[name, value] : choices)
      if (take(name))
        return value;
    return otherwise;
  }
  /// As takeOne, where one must be there.
  template <typename T>
  T takeNeeded(std::initializer_list<std::pair<std::string_view, T>> choices, std::string_view what) {
    for (const auto &[name, value] : choices)
      if (take(name))
        return value;
    fail(std::string("has no ") + std::string(what));
  }
  /// The first type that is left.
  Type takeType();
  /// Cache, eviction and prefetch hints, which change no result.
  void takeHints();
  /// The scalar type or one of the shape-like words ("m16n8k16") that are left, in order; empty when none is.
  std::string_view takeNext();

  // Operands, by their number in the text.
  size_t operands() const { return statement.operands.size(); }
  void expectOperands(size_t least, size_t most);
  void expectOperands(size_t count) { expectOperands(count, count); }
  const Operand &operand(size_t number) const { return statement.operands[number]; }

  void to(const Operand &operand, Type type, Width width = Width::exact);
  void from(const Operand &operand, Type type, Width width = Width::exact);
  void to(size_t number, Type type, Width width = Width::exact) { to(operand(number), type, width); }
  void from(size_t number, Type type, Width width = Width::exact) { from(operand(number), type, width); }
  /// A list {a, b, ..} of `count` elements (any number if 0), or one bare operand where count is 1.
  void toList(size_t number, Type type, size_t count, Width width = Width::exact);
  void fromList(size_t number, Type type, size_t count, Width width = Width::exact);
  /// [base + offset] in `in.address[which]`. Symbols must lie in `space`, or anywhere if it is generic. Returns the space
  /// that is accessed: the arguments of a call are parameters by name, and lie in local memory.
  Space address(const Operand &operand, size_t which, Space space);
  Space address(size_t number, size_t which, Space space) { return address(operand(number), which, space); }
  /// Bits of the register that is the operand; 0 where it is not a register.
  uint32_t bitsOf(const Operand &operand) const;
  uint32_t bitsOf(size_t number) const { return bitsOf(operand(number)); }
  bool isPredicate(size_t number) const;
  /// An integer literal.
  int64_t immediate(size_t number);
  /// A branch target, kept by name until its scope ends.
  std::string_view label(size_t number);

  void run(Handler handler) { in.execute = handler; }
  /// Counts this instruction under another name than its mnemonic.
  void countAs(std::string kind) { kindName = std::move(kind); }
  const std::string &kind() const { return kindName; }

  [[noreturn]] void fail(std::string_view why) const;

  /// Checks that nothing is left over.
  void finish() const;
  const std::vector<uint32_t> &toSlots() const { return toList_; }
  const std::vector<uint32_t> &fromSlots() const { return fromList_; }

private:
  uint32_t sourceSlot(const Operand &operand, Type type, Width width);
  uint32_t literal(const Operand &operand, Type type);
  void checkWidth(const Operand &operand, Type have, Type want, Width width) const;

  Registers &registers;
  std::vector<std::string_view> modifiers; ///< not yet taken
  std::vector<uint32_t> toList_, fromList_;
  std::string kindName;
};

/// One mnemonic (or its first parts, "cp.async.bulk": the longest match wins) and who decodes it.
struct Rule {
  std::string_view mnemonic;
  void (*decode)(Decoding &);
};
using Rules = std::span<const Rule>;

/// The rule for an opcode and how many of its parts the mnemonic took; null when no family has it.
const Rule *findRule(const Statement &statement, size_t &mnemonicParts);

} // namespace tercet::sim
