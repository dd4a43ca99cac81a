// TableShares: what gradients of tables are summed from (docs/gradients.md#regions). What a read gives to the entry that it reads is g
// times the derivative of the region's result by what was read, where g is P (dP - D) of a pair, or dO O of a row and a feature. Which
// positions the read's indices need says where this is summed before it reaches the entry:
//
//   queries    none or the query      over a row's keys, in the pass of queries; of a gate over features
//   keys       the key                over a key's queries, per query head, in the pass of keys
//   features   a gate's feature       not at all
//   entries    both of a pair         in a pass of its own, per query head and strip of rows, in a copy of the entries that a head reads
//   owned      both, and an axis of queries by the query itself: in such a pass, whose items own rows of the table
#pragma once

#include "PairDependence.h"

#include "mlir/IR/Region.h"

#include <memory>
#include <optional>
#include <string>

namespace tercet::compiler {

/// A read through which a region's result depends on a table.
struct TableRead {
  mlir::BlockArgument table;
  unsigned first = 0; ///< argument of the regions that is the batch; head, query and key or feature follow
  std::shared_ptr<mlir::Region> factor; ///< d result / d what is read; null: 1
  /// Per axis: a region of the same arguments that yields the index, and which of a pair's positions that needs.
  llvm::SmallVector<std::shared_ptr<mlir::Region>> indices;
  llvm::SmallVector<unsigned> needs;

  /// By how much the index along an axis grows with argument `number`; nothing where that is no constant.
  std::optional<int64_t> step(size_t axis, unsigned number) const;
  /// Whether entries along an axis belong to queries: it is theirs, and the index is the query. It may still have one entry for all.
  bool owns(size_t axis) const;
  /// Whether the index along an axis is argument `number` itself.
  bool isArgument(size_t axis, unsigned number) const;
};

/// The shares of a table's gradient that one read makes.
struct TableShares {
  enum class Kind { queries, keys, features, entries, owned };
  std::string name; ///< of the buffer that holds them
  TableRead read;
  Kind kind = Kind::queries;
  int64_t tokens = 1; ///< for which a row or key stands whose positions the region counts in

  /// Whether they lie by entries, rather than by rows.
  bool areEntries() const { return kind == Kind::entries || kind == Kind::owned; }
  std::string table() const;    ///< its name
  std::string gradient() const; ///< the name of the gradient's argument
};

} // namespace tercet::compiler
