#include "SymbolSources.h"

namespace tercet::rt {
namespace {

using Kind = SymbolSource::Kind;

/// In the order of sizesOf.
constexpr const char *sizeNames[] = {"B", "H", "HKV", "N", "M", "D", "DV", "R", "P", "THREADS"};

std::array<int64_t, std::size(sizeNames)> sizesOf(const ProblemSizes &sizes, int threads) {
  return {sizes.batch,
          sizes.heads,
          sizes.headsKV,
          sizes.queries,
          sizes.keys,
          sizes.headDim,
          sizes.valueDim,
          sizes.heads / sizes.headsKV,
          sizes.batch * sizes.headsKV,
          threads};
}

int64_t valueOf(const SymbolSource &source, const Tensor &tensor) {
  bool hasAxis = source.axis < tensor.rank;
  switch (source.kind) {
  case Kind::present:
    return tensor.rank > 0;
  case Kind::dtype:
    return static_cast<int64_t>(tensor.dtype);
  case Kind::stride:
    return hasAxis ? tensor.strides[source.axis] : 0;
  case Kind::extent:
    return hasAxis ? tensor.shape[source.axis] : 0;
  default:
    return 0;
  }
}

} // namespace

std::vector<SymbolSource> symbolSources(const Plan &plan, const SymbolNames &symbols) {
  std::vector<SymbolSource> sources;
  auto add = [&](const std::string &name, Kind kind, size_t axis, size_t index) {
    if (int symbol = symbols.find(name); symbol >= 0)
      sources.push_back({kind, static_cast<uint8_t>(axis), static_cast<int>(index), symbol});
  };
  for (size_t place = 0; place < std::size(sizeNames); ++place)
    add(sizeNames[place], Kind::size, place, 0);
  for (size_t index = 0; index < plan.arguments.size(); ++index) {
    const std::string &name = plan.arguments[index].name;
    add(name + ".present", Kind::present, 0, index);
    add(name + ".dtype", Kind::dtype, 0, index);
    add(name + ".b", Kind::extent, 0, index);
    add(name + ".h", Kind::extent, 1, index);
    for (size_t axis = 0; axis < 4; ++axis) {
      add(name + "." + std::to_string(axis), Kind::stride, axis, index);
      add(name + ".size" + std::to_string(axis), Kind::extent, axis, index);
    }
  }
  for (size_t index = 0; index < plan.parameters.size(); ++index)
    if (plan.parameters[index].isInteger)
      add("param." + plan.parameters[index].name, Kind::parameter, 0, index);
  return sources;
}

void bindSymbols(const std::vector<SymbolSource> &sources, const BoundArguments &bound, int threads,
                 std::vector<int64_t> &symbols) {
  auto sizes = sizesOf(bound.sizes, threads);
  for (const SymbolSource &source : sources) {
    int64_t &value = symbols[static_cast<size_t>(source.symbol)];
    size_t index = static_cast<size_t>(source.index);
    if (source.kind == Kind::size)
      value = sizes[source.axis];
    else if (source.kind == Kind::parameter)
      value = static_cast<int64_t>(bound.parameters[index]);
    else
      value = valueOf(source, bound.tensors[index]);
  }
}

} // namespace tercet::rt
