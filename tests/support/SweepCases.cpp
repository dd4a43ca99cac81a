// See the header.
#include "SweepCases.h"

#include <array>
#include <set>

namespace tercet::test {
namespace {

using Cases = std::vector<Case>;

template <typename List> const auto &inTurn(const List &list, int64_t turn) {
  return list[static_cast<size_t>(turn) % list.size()];
}

constexpr std::array dtypes = {DType::bf16, DType::f32, DType::f16};
constexpr std::array narrowDtypes = {DType::bf16, DType::f16};

/// The column of a row on a diagonal.
int64_t columnOf(int64_t row, int64_t diagonal, int64_t size) { return (5 * row + diagonal) % size; }

/// A turn of its own for dtypes, so that each of the specs meets each of them on some diagonal.
int64_t dtypeTurn(int64_t row, int64_t diagonal) { return row + 2 * diagonal; }

bool hasBlockSizes(const std::string &spec) {
  static const std::set<std::string> without = {"dense", "causal_sla", "softcap", "sampled", "guarded"};
  return !without.contains(spec);
}
bool keepsShares(const std::string &spec) { return hasBlockSizes(spec) && spec != "moba" && spec != "xattention"; }

/// At least two blocks of queries and four of keys, the last of each a tail; two heads on one. Blocks of all classes.
Case blockCase(const std::string &spec, int64_t blockQ, int64_t blockK) {
  Case entry{.name = "blocks", .spec = spec};
  if (hasBlockSizes(spec))
    entry.settings = {{"block_q", std::to_string(blockQ)}, {"block_k", std::to_string(blockK)}};
  if (keepsShares(spec))
    entry.parameters = {{"keep", 0.4}, {"drop", 0.25}};
  if (spec == "sparse_topk")
    entry.parameters.pop_back();
  entry.shape = {.heads = 2,
                 .headsKV = 1,
                 .tokensQ = blockQ > 128 ? blockQ + 21 : 2 * blockQ + 5,
                 .tokensK = 3 * blockK + 5,
                 .headDim = 16,
                 .valueDim = 24};
  return entry;
}

Case dimensionCase(const std::string &spec, int64_t headDim, int64_t valueDim) {
  Case entry = blockCase(spec, 16, 16);
  entry.name = "dimensions";
  entry.shape.headDim = headDim;
  entry.shape.valueDim = valueDim;
  return entry;
}

} // namespace

Cases dimensionCases(const SpecNames &specs, int diagonal) {
  Cases cases;
  for (int64_t row = 0; row < 16; ++row) {
    int64_t column = columnOf(row, diagonal, 16);
    cases.push_back(dimensionCase(inTurn(specs, row + diagonal), 16 * column + row + 1, 16 * row + column + 1));
    cases.back().dtype = inTurn(dtypes, dtypeTurn(row, diagonal));
  }
  return cases;
}

Cases chunkDimensionCases(const SpecNames &specs, int diagonal) {
  Cases cases;
  for (int64_t row = 0; row < 32; ++row) {
    int64_t column = diagonal == equalDimensions ? row : columnOf(row, diagonal, 32);
    cases.push_back(dimensionCase(inTurn(specs, row + diagonal + 1), 8 * row + 8, 8 * column + 8));
    cases.back().dtype = inTurn(dtypes, dtypeTurn(row, diagonal + 1));
  }
  return cases;
}

Cases blockCases(const SpecNames &specs, int diagonal) {
  Cases cases;
  for (int64_t row = 0; row < 16; ++row) {
    cases.push_back(blockCase(inTurn(specs, row + diagonal), 16 * row + 16, 16 * columnOf(row, diagonal, 16) + 16));
    cases.back().dtype = inTurn(dtypes, dtypeTurn(row, diagonal));
  }
  return cases;
}

Cases warpgroupDimensionCases(const SpecNames &specs) {
  Cases cases;
  for (int64_t row = 0; row < 4; ++row)
    for (int64_t column = 0; column < 4; ++column) {
      Case entry = blockCase(inTurn(specs, row + column), 64, 64);
      entry.name = "warpgroup dimensions";
      entry.shape.headDim = 64 * row + 64;
      entry.shape.valueDim = 64 * column + 64;
      entry.dtype = inTurn(narrowDtypes, column);
      cases.push_back(entry);
    }
  return cases;
}

Cases warpgroupBlockCases(const SpecNames &specs) {
  Cases cases;
  for (int64_t row = 0; row < 3; ++row)
    for (int64_t column = 0; column < 4; ++column) {
      Case entry = blockCase(inTurn(specs, row + column), 64 << row, 64 * column + 64);
      entry.name = "warpgroup blocks";
      entry.shape.headDim = entry.shape.valueDim = 64;
      entry.dtype = inTurn(narrowDtypes, column);
      cases.push_back(entry);
    }
  return cases;
}

Cases everyNth(const Cases &cases, size_t first, size_t step) {
  Cases some;
  for (size_t index = first; index < cases.size(); index += step)
    some.push_back(cases[index]);
  return some;
}

} // namespace tercet::test
