// Slot allocation. Registers of up to 32 bits take 32 words, of 64 bits 64 words, predicates one mask.
#include "syntax/Registers.h"

#include <fmt/format.h>

#include <charconv>

namespace tercet::sim {

namespace {
constexpr uint32_t mostWords = 1u << 22; // 16 MiB per warp

struct SpecialRow {
  std::string_view name;
  Special special;
};
constexpr SpecialRow specialRows[] = {
    {"%tid.x", Special::tidX},
    {"%tid.y", Special::tidY},
    {"%tid.z", Special::tidZ},
    {"%ntid.x", Special::ntidX},
    {"%ntid.y", Special::ntidY},
    {"%ntid.z", Special::ntidZ},
    {"%ctaid.x", Special::ctaidX},
    {"%ctaid.y", Special::ctaidY},
    {"%ctaid.z", Special::ctaidZ},
    {"%nctaid.x", Special::nctaidX},
    {"%nctaid.y", Special::nctaidY},
    {"%nctaid.z", Special::nctaidZ},
    {"%laneid", Special::laneid},
    {"%warpid", Special::warpid},
    {"%nwarpid", Special::nwarpid},
    {"%smid", Special::smid},
    {"%nsmid", Special::nsmid},
    {"%gridid", Special::gridid},
    {"%lanemask_eq", Special::lanemaskEq},
    {"%lanemask_lt", Special::lanemaskLt},
    {"%lanemask_le", Special::lanemaskLe},
    {"%lanemask_gt", Special::lanemaskGt},
    {"%lanemask_ge", Special::lanemaskGe},
    {"%clusterid.x", Special::clusteridX},
    {"%clusterid.y", Special::clusteridY},
    {"%clusterid.z", Special::clusteridZ},
    {"%nclusterid.x", Special::nclusteridX},
    {"%nclusterid.y", Special::nclusteridY},
    {"%nclusterid.z", Special::nclusteridZ},
    {"%cluster_ctaid.x", Special::clusterCtaidX},
    {"%cluster_ctaid.y", Special::clusterCtaidY},
    {"%cluster_ctaid.z", Special::clusterCtaidZ},
    {"%cluster_nctaid.x", Special::clusterNctaidX},
    {"%cluster_nctaid.y", Special::clusterNctaidY},
    {"%cluster_nctaid.z", Special::clusterNctaidZ},
    {"%cluster_ctarank", Special::clusterCtarank},
    {"%cluster_nctarank", Special::clusterNctarank},
    {"%is_explicit_cluster", Special::isExplicitCluster},
    {"%dynamic_smem_size", Special::dynamicSmemSize},
    {"%total_smem_size", Special::totalSmemSize},
};
} // namespace

void Registers::declare(std::string_view name, Type type, std::optional<uint64_t> count) {
  if (count)
    scopes.back().ranges[std::string(name)] = {*count, type};
  else
    scopes.back().singles[std::string(name)] = type;
}

uint32_t Registers::scratch(Type type) {
  if (type == Type::pred)
    return kernel.predicates++;
  if (kernel.words >= mostWords)
    throw Failure{fmt::format("kernel {} uses more than {} registers and constants", kernel.info.name, mostWords / 32)};
  uint32_t slot = kernel.words;
  kernel.words += bytesOf(type) == 8 ? 64 : 32;
  return slot;
}

std::optional<Register> Registers::findIn(Scope &scope, std::string_view name, Registers &file) {
  if (auto known = scope.registers.find(name); known != scope.registers.end())
    return known->second;
  Type type = Type::none;
  if (auto single = scope.singles.find(name); single != scope.singles.end()) {
    type = single->second;
  } else {
    size_t digits = name.find_last_not_of("0123456789") + 1;
    auto range = scope.ranges.find(name.substr(0, digits));
    uint64_t index = 0;
    auto [end, error] = std::from_chars(name.data() + digits, name.data() + name.size(), index);
    bool canonical = digits < name.size() && (name[digits] != '0' || digits + 1 == name.size());
    if (range == scope.ranges.end() || error != std::errc() || !canonical || index >= range->second.count)
      return std::nullopt;
    type = range->second.type;
  }
  Register made{file.scratch(type), type};
  scope.registers.emplace(name, made);
  return made;
}

std::optional<Register> Registers::find(std::string_view name) {
  for (size_t i = scopes.size(); i-- > 0;)
    if (auto found = findIn(scopes[i], name, *this))
      return found;
  return std::nullopt;
}

std::optional<Symbol> Registers::findSymbol(std::string_view name) const {
  for (size_t i = scopes.size(); i-- > 0;)
    if (auto found = scopes[i].symbols.find(name); found != scopes[i].symbols.end())
      return found->second;
  return std::nullopt;
}

std::optional<Register> Registers::special(std::string_view name, bool wide) {
  Type type = wide ? Type::u64 : Type::u32;
  std::pair<std::string, bool> key(name, wide);
  if (auto known = specials.find(key); known != specials.end())
    return Register{known->second, type};
  for (const SpecialRow &row : specialRows)
    if (row.name == name) {
      uint32_t slot = scratch(type);
      kernel.specials.push_back({slot, wide, row.special});
      specials.emplace(std::move(key), slot);
      return Register{slot, type};
    }
  return std::nullopt;
}

uint32_t Registers::constant(uint64_t value, bool wide) {
  auto [known, isNew] = constants.try_emplace({wide, value}, 0);
  if (isNew) {
    known->second = scratch(wide ? Type::u64 : Type::u32);
    kernel.constants.push_back({known->second, wide, value});
  }
  return known->second;
}

uint32_t Registers::constantPredicate(bool value) {
  std::optional<uint32_t> &slot = predicateConstants[value];
  if (!slot) {
    slot = scratch(Type::pred);
    if (value)
      kernel.truePredicates.push_back(*slot);
  }
  return *slot;
}

} // namespace tercet::sim
