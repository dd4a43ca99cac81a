// Program: a tercet.spec as plain data, for the fp64 oracle. No MLIR here: readSpec (ReadSpec.h) makes one from the IR.
//
// A program is a list of branches in the order of the spec's ops; a branch names the branches it reads by index, so any
// spec that the dialect can write is evaluated by walking the list once.
#pragma once

#include "tercet/TableAxis.h"
#include "tercet/TokenOrder.h"
#include "tercet/dialect/reference/Number.h"
#include "tercet/dialect/reference/PairProgram.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tercet::reference {

/// How a fraction of n blocks becomes a count (docs/spec.md#counts).
enum class Rounding { floor, ceil, round };

/// What an amount of keep means (docs/spec.md#select).
enum class KeepUnit { fraction, count, mass, above, relative, percentile, within };

/// Over what selection ranks and counts.
enum class Scope { row, head, allHeads, group };

/// The pools of a compressed branch, and of scores by one (docs/spec.md#compressed, #compressed_scores).
struct Pools {
  int64_t length = 0, stride = 0;
  int64_t queries = 0;                  ///< tokens of a pooled query; 0: query tokens attend themselves
  std::string keyWeights, valueWeights; ///< names of tables; empty: means
};

/// Where the scores of block pairs come from.
struct ScoreSource {
  enum class Kind { pooled, sampled, compressed, given, none };
  Kind kind = Kind::pooled;
  bool center = false;         ///< pooled
  std::optional<Number> guard; ///< pooled
  int64_t stride = 0;          ///< sampled
  std::string table;           ///< given
  Pools pools;                 ///< compressed, as the next two; of keys alone
  Number scale;
  std::optional<PairProgram> where;
  /// Whether scores are P, not logits.
  bool areShares() const { return kind == Kind::sampled || kind == Kind::compressed; }
};

/// Classification: the operands of tercet.select and of the op that makes its scores, or of tercet.pattern (a set and no
/// scores).
struct Selection {
  int64_t blockQ = 0, blockK = 0;
  ScoreSource scores;
  Number keep, drop, minKeep, sink;
  std::optional<Number> maxKeep;
  KeepUnit keepUnit = KeepUnit::fraction;
  bool dropIsCount = false;
  Rounding rounding = Rounding::floor;
  bool diagonal = false, forcedCounts = false, apart = false, byShare = false;
  Scope scope = Scope::row;
  std::string budgets; ///< the table that replaces keep per head; empty: none
  std::optional<PairProgram> mask, forced, forbidden;
  std::optional<PairProgram> pattern; ///< the critical blocks of tercet.pattern
};

/// A set of block classes as bits.
enum ClassBits : uint8_t { criticalBit = 1, marginalBit = 2, negligibleBit = 4, everyClass = 7 };

/// The bit of a class byte: +1 critical, 0 marginal, -1 negligible.
constexpr uint8_t bitOfClass(int8_t value) {
  return value > 0 ? criticalBit : value == 0 ? marginalBit : negligibleBit;
}

enum class FeatureMap { softmax, elu, relu };

/// One op that makes a tercet.branch.
struct Branch {
  enum class Kind { sparse, linear, blockMean, compressed, project, gate, sum, joint, byHead };
  Kind kind = Kind::sparse;
  std::string name;             ///< the op's name, numbered from the second on: "sparse", "linear", "linear2"
  uint8_t classes = everyClass; ///< the blocks that a region covers; empty blocks hold no token and take no part
  Number scale;                 ///< sparse, blockMean, compressed
  std::optional<PairProgram> mask, score;      ///< sparse, compressed
  Pools pools;                                 ///< compressed
  bool poolsQueries = false;                   ///< blockMean: by the mean of a query block
  std::optional<PairProgram> factor;           ///< gate
  FeatureMap featureMap = FeatureMap::softmax; ///< linear
  Number eps;                                  ///< linear
  std::string weight, bias;                    ///< project: names of its tensors
  std::string choice;                          ///< byHead: name of its table
  std::vector<size_t> inputs;                  ///< project, gate, sum, joint, byHead: indices of earlier branches
};

/// The name of a kind, as the op's mnemonic.
std::string_view branchKindName(Branch::Kind kind);

/// The blocks of the classification are tiles of a grid (docs/spec.md#token_order).
struct GridOrder {
  std::vector<Number> grid;
  std::vector<int64_t> tile; ///< as many axes
  TextPlace text = TextPlace::none;
  /// With the values that a call gives; sizes that no call may have become the nearest legal ones.
  TokenOrder sized(const std::vector<std::pair<std::string, double>> &parameters) const;
};

/// A table argument: its axes (TableAxis, or a number of entries) and what it holds.
struct Table {
  std::string name;
  std::vector<int64_t> axes;
  DType dtype = DType::f32; ///< or i32
};

struct Program {
  std::string name;
  std::optional<Selection> selection; ///< absent: no classification, every block is critical
  std::optional<GridOrder> order;     ///< absent: blocks are runs of tokens
  std::vector<Branch> branches;
  size_t output = 0;                   ///< index of the branch that tercet.return names
  std::vector<std::string> weights;    ///< names of the weight arguments
  std::vector<Table> tables;           ///< in the order of the arguments
  std::vector<std::string> parameters; ///< names of the runtime parameters

  /// Whether branch `index` has a log-sum-exp: of the softmax that it is, of the one that it holds, or of each head's.
  bool hasLse(size_t index) const;
};

} // namespace tercet::reference
