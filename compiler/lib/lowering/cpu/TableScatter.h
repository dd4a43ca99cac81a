// TableScatter: adds values to the entries of a table that a region's read takes them from, in their order. An index outside of an axis
// is its nearest end, as in reads.
#pragma once

#include "KernelBuilder.h"
#include "PairRegion.h"
#include "TableShares.h"

#include <vector>

namespace tercet::compiler {

class TableScatter {
public:
  /// Values loaded at a time.
  static constexpr int64_t width = 64;

  /// Adds to `entries`: the table's sizes, and strides of what is added to, from element `start` on.
  TableScatter(KernelBuilder &k, const TableRead &read, PairScope &scope, TableView entries, Value start);

  /// Gives argument `number` of the index regions its value, for all that follows.
  void bind(unsigned number, Value value);
  /// Adds values[row][col ..], `count` of at most `width`, to the entries for which argument `number` counts up from `first`; what
  /// else indices need is bound.
  void add(unsigned number, Value first, Value count, Value values, Value row, Value col) const;
  /// Adds them to entries that lie `stride` apart from `offset` on.
  void addRun(Value offset, Value stride, Value count, Value values, Value row, Value col) const;
  /// Where an index that is all bound points along its axis, in elements.
  Value offset(size_t axis) const { return k.mul(entry(axis, index(axis)), entries.strides[axis]); }

private:
  Value index(size_t axis) const;
  Value indexAt(size_t axis, unsigned number, Value position) const;
  Value entry(size_t axis, Value index) const;
  void addSum(Value offset, Value count, Value values, Value row, Value col) const;
  void addEach(unsigned number, Value first, Value count, Value values, Value row, Value col, Value offset,
               mlir::ArrayRef<size_t> axes) const;

  KernelBuilder &k;
  const TableRead &read;
  TableView entries;
  Value start;
  std::vector<PairRegion> indices;
};

} // namespace tercet::compiler
