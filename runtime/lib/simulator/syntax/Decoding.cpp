// Operands to slots, with the width rules of PTX; modifiers ticked off one by one.
#include "syntax/Decoding.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdlib>

namespace tercet::sim {

Decoding::Decoding(const Statement &statement, Registers &registers, Kernel &kernel, size_t mnemonicParts)
    : statement(statement), kernel(kernel), registers(registers),
      modifiers(statement.parts.begin() + mnemonicParts, statement.parts.end()), kindName(statement.parts[0]) {
  in.line = statement.line;
  in.textBegin = statement.textBegin;
  in.textLength = statement.textEnd - statement.textBegin;
  if (statement.guard.empty())
    return;
  auto guard = registers.find(statement.guard);
  if (!guard || guard->type != Type::pred)
    fail(fmt::format("is guarded by '{}', which is not a predicate", statement.guard));
  in.guard = int32_t(guard->slot);
  in.guardNegated = statement.guardNegated;
}

void Decoding::fail(std::string_view why) const {
  throw Failure{fmt::format("line {}: {} {}", statement.line, statement.opcode, why)};
}

bool Decoding::take(std::string_view modifier) {
  auto found = std::find(modifiers.begin(), modifiers.end(), modifier);
  if (found == modifiers.end())
    return false;
  modifiers.erase(found);
  return true;
}

Type Decoding::takeType() {
  for (auto it = modifiers.begin(); it != modifiers.end(); ++it)
    if (auto type = typeNamed(*it)) {
      modifiers.erase(it);
      return *type;
    }
  fail("has no type");
}

std::string_view Decoding::takeNext() {
  if (modifiers.empty())
    return {};
  std::string_view first = modifiers.front();
  modifiers.erase(modifiers.begin());
  return first;
}

void Decoding::takeHints() {
  constexpr std::string_view hints[] = {
      "ca",
      "cg",
      "cs",
      "lu",
      "cv",
      "wb",
      "wt",
      "nc",
      "L1::evict_normal",
      "L1::evict_unchanged",
      "L1::evict_first",
      "L1::evict_last",
      "L1::no_allocate",
      "L2::64B",
      "L2::128B",
      "L2::256B",
      "L2::evict_last",
      "L2::evict_normal",
      "L2::evict_first",
  };
  for (std::string_view hint : hints)
    take(hint);
}

void Decoding::expectOperands(size_t least, size_t most) {
  if (operands() < least || operands() > most)
    fail(least == most ? fmt::format("takes {} operands, not {}", least, operands())
                       : fmt::format("takes {} to {} operands, not {}", least, most, operands()));
}

void Decoding::checkWidth(const Operand &operand, Type have, Type want, Width width) const {
  if ((have == Type::pred) != (want == Type::pred))
    fail(fmt::format("takes a .{} where it is given {}, a .{}", nameOf(want), operand.name, nameOf(have)));
  uint32_t given = bytesOf(have), needed = bytesOf(want);
  if (width == Width::exact ? given != needed : given < needed)
    fail(fmt::format("takes {} bits where it is given {}, which has {}", needed * 8, operand.name, given * 8));
}

namespace {
void notePredicate(uint16_t &mask, const std::vector<uint32_t> &slots, Type type) {
  if (type == Type::pred && slots.size() <= 16)
    mask = uint16_t(mask | 1u << (slots.size() - 1));
}
} // namespace

void Decoding::to(const Operand &operand, Type type, Width width) {
  if (operand.kind != Operand::Kind::value || operand.number || operand.negated || operand.offset)
    fail("has a destination that is not a register");
  if (operand.name == "_") {
    toList_.push_back(registers.scratch(type));
    notePredicate(in.predicatesTo, toList_, type);
    return;
  }
  auto found = registers.find(operand.name);
  if (!found)
    fail(fmt::format("names register {}, which is not declared", operand.name));
  checkWidth(operand, found->type, type, width);
  toList_.push_back(found->slot);
  notePredicate(in.predicatesTo, toList_, type);
}

void Decoding::from(const Operand &operand, Type type, Width width) {
  fromList_.push_back(sourceSlot(operand, type, width));
  notePredicate(in.predicatesFrom, fromList_, type);
}

uint32_t Decoding::sourceSlot(const Operand &operand, Type type, Width width) {
  if (operand.kind != Operand::Kind::value || operand.negated)
    fail("has a source that is neither a register nor a value");
  if (operand.number)
    return literal(operand, type);
  bool wide = bytesOf(type) == 8;
  if (auto found = registers.find(operand.name)) {
    if (operand.offset)
      fail(fmt::format("adds an offset to register {} outside of an address", operand.name));
    checkWidth(operand, found->type, type, width);
    return found->slot;
  }
  if (auto symbol = registers.findSymbol(operand.name)) {
    if (bytesOf(type) < 4)
      fail(fmt::format("takes the address of {} in {} bits", operand.name, bytesOf(type) * 8));
    return registers.constant(wide ? symbol->address + operand.offset : uint32_t(symbol->address + operand.offset),
                              wide);
  }
  if (bytesOf(type) >= 4)
    if (auto special = registers.special(operand.name, wide))
      return special->slot;
  fail(fmt::format("names {}, which is not known", operand.name));
}

uint32_t Decoding::literal(const Operand &operand, Type type) {
  std::string_view text = operand.name;
  bool wide = bytesOf(type) == 8;
  bool hex = text.size() > 2 && text[0] == '0';
  if (type == Type::pred)
    return registers.constantPredicate(integerLiteral(text, statement.line) != 0);
  uint64_t bits;
  if (hex && (text[1] == 'f' || text[1] == 'F' || text[1] == 'd' || text[1] == 'D')) {
    bool isDouble = text[1] == 'd' || text[1] == 'D';
    if (text.size() != (isDouble ? 18u : 10u) || (isDouble && !wide))
      fail(fmt::format("has the literal {}, which does not fit .{}", text, nameOf(type)));
    bits = integerLiteral(fmt::format("0x{}", text.substr(2)), statement.line);
    if (type == Type::f64 && !isDouble)
      bits = std::bit_cast<uint64_t>(double(std::bit_cast<float>(uint32_t(bits))));
    if (operand.minus)
      bits ^= uint64_t{1} << (isDouble || wide ? 63 : 31);
  } else if ((type == Type::f32 || type == Type::f64) && text.find('.') != std::string_view::npos) {
    std::string copy(text);
    char *end = nullptr;
    double value = std::strtod(copy.c_str(), &end);
    if (end != copy.c_str() + copy.size())
      fail(fmt::format("has the literal {}, which is not a number", text));
    value = operand.minus ? -value : value;
    bits = wide ? std::bit_cast<uint64_t>(value) : std::bit_cast<uint32_t>(float(value));
  } else {
    if (isFloat(type) && type != Type::f16x2 && type != Type::bf16x2 && type != Type::f32x2)
      fail(fmt::format("has the integer {} where it takes a .{}", text, nameOf(type)));
    bits = integerLiteral(text, statement.line);
    bits = operand.minus ? -bits : bits;
    bits += operand.offset;
  }
  uint32_t bytes = bytesOf(type);
  return registers.constant(bytes >= 8 ? bits : bits & ((uint64_t{1} << (8 * bytes)) - 1), wide);
}

void Decoding::toList(size_t number, Type type, size_t count, Width width) {
  const Operand &list = operand(number);
  if (list.kind != Operand::Kind::list) {
    if (count > 1)
      fail(fmt::format("takes a list of {} as operand {}", count, number + 1));
    return to(list, type, width);
  }
  if (count && list.items.size() != count)
    fail(fmt::format("takes {} elements in operand {}, not {}", count, number + 1, list.items.size()));
  for (const Operand &item : list.items)
    to(item, type, width);
}

void Decoding::fromList(size_t number, Type type, size_t count, Width width) {
  const Operand &list = operand(number);
  if (list.kind != Operand::Kind::list) {
    if (count > 1)
      fail(fmt::format("takes a list of {} as operand {}", count, number + 1));
    return from(list, type, width);
  }
  if (count && list.items.size() != count)
    fail(fmt::format("takes {} elements in operand {}, not {}", count, number + 1, list.items.size()));
  for (const Operand &item : list.items)
    from(item, type, width);
}

Space Decoding::address(const Operand &operand, size_t which, Space space) {
  if (operand.kind != Operand::Kind::memory || operand.minus || operand.negated)
    fail("takes an address in brackets");
  Address &address = in.address[which];
  address.offset = operand.offset;
  if (auto found = registers.find(operand.name); found && !operand.number) {
    uint32_t bytes = bytesOf(found->type);
    if (bytes != 8 && !(bytes == 4 && space != Space::global && space != Space::generic))
      fail(fmt::format("has {} as an address, a .{}", operand.name, nameOf(found->type)));
    address.slot = found->slot;
    address.wide = bytes == 8;
    return space;
  }
  uint64_t base;
  if (operand.number) {
    base = integerLiteral(operand.name, statement.line);
  } else if (auto symbol = registers.findSymbol(operand.name)) {
    if (space == Space::param && symbol->space == Space::local)
      space = Space::local;
    if (symbol->space != space && space != Space::generic)
      fail(fmt::format("reads {} as .{}; it lies in .{}", operand.name, nameOf(space), nameOf(symbol->space)));
    base = symbol->address;
    if (space == Space::generic && symbol->space != Space::global)
      base += uint64_t(symbol->space == Space::shared  ? window::shared
                       : symbol->space == Space::local ? window::local
                       : symbol->space == Space::param ? window::param
                                                       : window::constant);
  } else {
    fail(fmt::format("names {}, which is not known", operand.name));
  }
  address.slot = registers.constant(base, true);
  address.wide = true;
  return space;
}

int64_t Decoding::immediate(size_t number) {
  const Operand &value = operand(number);
  if (value.kind != Operand::Kind::value || !value.number || value.negated)
    fail(fmt::format("takes a constant as operand {}", number + 1));
  uint64_t bits = integerLiteral(value.name, statement.line);
  return int64_t(value.minus ? -bits : bits);
}

uint32_t Decoding::bitsOf(const Operand &operand) const {
  auto found = registers.find(operand.name);
  return found ? bytesOf(found->type) * 8 : 0;
}

bool Decoding::isPredicate(size_t number) const {
  auto found = registers.find(operand(number).name);
  return found && found->type == Type::pred;
}

std::string_view Decoding::label(size_t number) {
  const Operand &value = operand(number);
  if (value.kind != Operand::Kind::value || value.number || value.negated || value.offset)
    fail("takes a label");
  return value.name;
}

void Decoding::finish() const {
  if (!modifiers.empty())
    fail(fmt::format("has the modifier .{}, which is not known", modifiers.front()));
  if (!in.execute)
    fail("has no handler");
}

} // namespace tercet::sim
