// TableAxis: what the axes of a table count (docs/spec.md#table), and the check of a tensor handed in for one.
#pragma once

#include "tercet/Status.h"
#include "tercet/Tensor.h"
#include "tercet/TokenOrder.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tercet {

/// An axis of a table is one of these, or its number of entries if positive.
enum class TableAxis : int64_t {
  batch = -1,
  head = -2,
  kvHead = -3,
  query = -4,
  key = -5,
  queryBlock = -6,
  keyBlock = -7,
  any = -8,
  feature = -9 ///< of values
};
constexpr int64_t lastTableAxis = -9;

/// "kv_head" for kvHead, "12" for 12: as in the type's text.
std::string tableAxisText(int64_t axis);
/// The named axis with this text; nothing when there is none.
std::optional<TableAxis> parseTableAxis(std::string_view name);

/// What named axes count in one call.
struct TableSizes {
  int64_t batch = 0, headsQ = 0, headsKV = 0, tokensQ = 0, tokensK = 0, valueDim = 0, blocksQ = 0, blocksK = 0;
  /// The same call classified in blocks of these sizes, in this order where it may have it; 0: not classified.
  TableSizes inBlocks(int64_t blockQ, int64_t blockK, const std::optional<TokenOrder> &order = {}) const;
};

/// Entries along an axis; 0 for `any`.
int64_t tableExtent(int64_t axis, const TableSizes &sizes);

/// Whether `tensor` may stand for the table `name`: rank, dtype (f32 or i32), and per axis the extent, where 1 stands for a
/// named axis as well. invalidArgument says what was given and what is legal.
Status checkTable(std::string_view name, const Tensor &tensor, const std::vector<int64_t> &axes, DType dtype,
                  const TableSizes &sizes);

} // namespace tercet
