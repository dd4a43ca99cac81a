// LinearState: how the linear branch's states lie in memory (CpuKernels.h), and the products that make and use them, of a
// block of keys or of queries.
#pragma once

#include "CpuSchedule.h"
#include "KernelBuilder.h"

namespace tercet::compiler {

/// States of the slices of a pass: of `blocks` blocks per owner, this one's number and owner.
struct StatePlace {
  Value states, owner, blocks, block, slices;
  /// Its chunk of a slice, [featureChunk][valueSlice].
  Value chunk(KernelBuilder &k, const CpuSchedule &schedule, Value slice, Value chunk) const;
};

/// Packed rows of values of a block (pack_keys): its first tile, and rows of it and of a tile.
struct PackedRows {
  Value packed, firstTile;
  int64_t rows, tile;
};

/// features^T values, slice by slice: the state of a block. `features` [rows][featureDim].
void buildBlockState(KernelBuilder &k, const CpuSchedule &schedule, Value features, const PackedRows &values,
                     Value firstSlice, const StatePlace &to);

/// A slice of a state as one matrix, `into` [featureDim][valueSlice].
void loadState(KernelBuilder &k, const CpuSchedule &schedule, const StatePlace &from, Value slice, Value into);

/// Packed columns of a block (pack_keys): `depth` features of its first tile, its columns and those of a tile.
struct PackedColumnsOfBlock {
  Value packed, firstTile;
  int64_t depth, columns, tile, panel;
};

/// sums [rows][columns] += left columns, where `left` [rows][valueSlice] is slice `slice` of all: of a state, whose rows are
/// features, or of a single row.
void addSliceProduct(KernelBuilder &k, const CpuSchedule &schedule, Value left, int64_t rows, Value slice,
                     const PackedColumnsOfBlock &columns, Value sums);

/// The transpose of `from` [featureDim][columns] into rows of `into`: the first `rows` of them, featureDim wide. Both have
/// columns, or rows, up to a multiple of schedule.featureRows.
void transposeSums(KernelBuilder &k, const CpuSchedule &schedule, Value from, Value rows, Value into);

} // namespace tercet::compiler
