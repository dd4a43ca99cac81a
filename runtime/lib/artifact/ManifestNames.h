// The words that a manifest uses for enumerations: one table for writing and reading.
#pragma once

#include "tercet/Plan.h"

#include <string_view>
#include <utility>

namespace tercet {

inline constexpr std::pair<PlanNode::Kind, std::string_view> nodeKindNames[] = {
    {PlanNode::Kind::kernel, "kernel"}, {PlanNode::Kind::builtin, "builtin"}, {PlanNode::Kind::memset, "memset"},
    {PlanNode::Kind::groups, "groups"}, {PlanNode::Kind::slices, "slices"},   {PlanNode::Kind::rows, "rows"}};
inline constexpr std::pair<PlanSlot::Kind, std::string_view> slotKindNames[] = {{PlanSlot::Kind::tensor, "tensor"},
                                                                                {PlanSlot::Kind::buffer, "buffer"},
                                                                                {PlanSlot::Kind::integer, "integer"},
                                                                                {PlanSlot::Kind::scalar, "scalar"},
                                                                                {PlanSlot::Kind::tensorMap, "map"}};
using Swizzle = PlanTensorMap::Swizzle;
inline constexpr std::pair<Swizzle, std::string_view> swizzleNames[] = {
    {Swizzle::none, "none"}, {Swizzle::bytes32, "32"}, {Swizzle::bytes64, "64"}, {Swizzle::bytes128, "128"}};

inline constexpr std::pair<TextPlace, std::string_view> textPlaceNames[] = {
    {TextPlace::none, "none"}, {TextPlace::prefix, "prefix"}, {TextPlace::suffix, "suffix"}};

template <typename Kind, size_t size>
std::string_view kindName(const std::pair<Kind, std::string_view> (&names)[size], Kind kind) {
  for (const auto &[known, name] : names)
    if (known == kind)
      return name;
  return "unknown";
}

template <typename Kind, size_t size>
bool parseKind(const std::pair<Kind, std::string_view> (&names)[size], std::string_view text, Kind &kind) {
  for (const auto &[known, name] : names)
    if (name == text) {
      kind = known;
      return true;
    }
  return false;
}

} // namespace tercet
