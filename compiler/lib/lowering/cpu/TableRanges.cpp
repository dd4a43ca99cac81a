#include "TableRanges.h"

#include "tercet/Builtins.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

TableRanges::TableRanges(KernelBuilder &k, CpuPairScope &scope, Region *mask) : k(k), scope(scope) {
  if (mask)
    dependence = pairDependence(mask->front(), /*first=*/0);
  for (const RangedTable &table : rangedTablesOf(mask))
    kept.push_back({table, k.pointer(cast<ir::TableType>(table.table.getType()).getElementType())});
}

std::optional<Bounds> TableRanges::read(ir::ReadOp op, ArrayRef<Bounds> indices) {
  std::optional<RangedTable> ranged = rangedTableOf(op, dependence);
  if (!ranged)
    return std::nullopt;
  Value ranges = llvm::find_if(kept, [&](const Kept &one) { return one.of == *ranged; })->ranges;
  auto type = cast<ir::TableType>(ranged->table.getType());
  TableView table = scope.table(ir::argumentName(ranged->table), type);
  auto entry = [&](Value index, Value size) { return k.max(k.min(index, k.sub(size, k.index(1))), k.index(0)); };
  Value row = k.index(0), size = table.sizes[ranged->axis];
  for (size_t axis = 0; axis < indices.size(); ++axis)
    if (axis != ranged->axis)
      row = k.add(k.mul(row, table.sizes[axis]), entry(indices[axis].low, table.sizes[axis]));
  Value first = k.mul(row, k.ceilDiv(size, rangeBlock));
  auto blockOf = [&](Value index) { return k.add(first, k.div(entry(index, size), k.index(rangeBlock))); };
  Value from = blockOf(indices[ranged->axis].low), last = blockOf(indices[ranged->axis].high);
  auto least = [&](Value block) { return k.read(ranges, k.mul(block, 2)); };
  auto most = [&](Value block) { return k.read(ranges, k.add(k.mul(block, 2), 1)); };
  bool isFloat = type.getElementType().isF32();
  OpBuilder &b = k.raw();
  auto smaller = [&](Value x, Value y) {
    return isFloat ? b.createOrFold<arith::MinimumFOp>(k.location(), x, y) : k.min(x, y);
  };
  auto larger = [&](Value x, Value y) {
    return isFloat ? b.createOrFold<arith::MaximumFOp>(k.location(), x, y) : k.max(x, y);
  };
  SmallVector<Value> ends = k.loop(k.add(from, 1), k.add(last, 1), 1, {least(from), most(from)},
                                   [&](Value block, ValueRange so) -> SmallVector<Value> {
                                     return {smaller(so[0], least(block)), larger(so[1], most(block))};
                                   });
  return Bounds{ends[0], ends[1]};
}
