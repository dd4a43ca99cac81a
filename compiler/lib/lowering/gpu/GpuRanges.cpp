#include "GpuRanges.h"

#include "PairOperands.h"
#include "StageKernel.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

// The sizes of blocks in table_ranges.cuh.
constexpr int64_t levels[] = {64, 64 * 32, 64 * 32 * 32};

// Arguments 2 and 3 of a mask are positions.
bool isPosition(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return argument.getArgNumber() >= 2 && isa<ir::MaskOp>(argument.getOwner()->getParentOp());
  return llvm::any_of(value.getDefiningOp()->getOperands(), isPosition);
}

std::optional<unsigned> rangedAxis(ir::ReadOp read) {
  std::optional<unsigned> ranged;
  for (auto [axis, index] : llvm::enumerate(read.getIndices()))
    if (isPosition(index)) {
      if (ranged)
        return std::nullopt;
      ranged = axis;
    }
  return ranged;
}

Expr sizeOf(const GpuRangedTable &table, size_t axis) {
  return Expr::symbol(table.name + ".size" + std::to_string(axis));
}

} // namespace

std::vector<GpuRangedTable> rangedTables(ir::MaskOp mask) {
  std::vector<GpuRangedTable> tables;
  for (auto read : mask.getBody().getOps<ir::ReadOp>()) {
    std::string name = nameOfArgument(cast<BlockArgument>(read.getTable())).str();
    std::optional<unsigned> axis = rangedAxis(read);
    if (axis && llvm::none_of(tables, [&](const GpuRangedTable &table) { return table.name == name; }))
      tables.push_back({name, cast<ir::TableType>(read.getTable().getType()), *axis});
  }
  return tables;
}

std::optional<Bounds> readRange(GpuPairScope &scope, const GpuProgram &program, ir::ReadOp read,
                                ArrayRef<Bounds> indices) {
  StringRef name = nameOfArgument(cast<BlockArgument>(read.getTable()));
  auto table = llvm::find_if(program.ranged, [&](const GpuRangedTable &entry) { return entry.name == name; });
  if (table == program.ranged.end() || rangedAxis(read) != table->axis)
    return std::nullopt;
  GpuKernelBuilder &b = scope.builder();
  TableView view = scope.table(name, table->type);
  Value row = b.constant(int64_t{0}), zero = row, one = b.constant(int64_t{1});
  for (size_t axis = 0; axis < indices.size(); ++axis) {
    if (axis == table->axis)
      continue;
    Value last = b.sub("last_entry", view.sizes[axis], one);
    Value known = b.make<arith::MinSIOp>("entry", b.make<arith::MaxSIOp>("from_0", indices[axis].low, zero), last);
    row = b.add("range_row", b.mul("rows_before", row, view.sizes[axis]), known);
  }
  const Bounds &along = indices[table->axis];
  SmallVector<Value> inputs = {scope.ranges(name, table->type), row, view.sizes[table->axis],
                               scope.narrow("first", along.low), scope.narrow("last", along.high)};
  bool isFloat = table->type.getElementType().isF32();
  auto bound = [&](StringRef word) -> Value {
    Type type = isFloat ? Type(b.builder.getF32Type()) : Type(b.builder.getI32Type());
    Value found = b.compute(word, type, (word + "_of").str(), "table_ranges", {}, inputs);
    return isFloat ? found : b.make<arith::IndexCastOp>(word, b.builder.getIndexType(), found);
  };
  return Bounds{bound("least"), bound("largest")};
}

Expr rangeRows(const GpuRangedTable &table) {
  Expr rows = 1;
  for (size_t axis = 0; axis < table.type.getAxes().size(); ++axis)
    if (axis != table.axis)
      rows = rows * sizeOf(table, axis);
  return rows;
}

Expr rangeBytes(const GpuRangedTable &table) {
  Expr blocks = 0;
  for (int64_t size : levels)
    blocks = blocks + ceildiv(sizeOf(table, table.axis), size);
  return rangeRows(table) * blocks * 8;
}

std::array<Expr, 3> rangeGrid(const GpuRangedTable &table) {
  return {ceildiv(sizeOf(table, table.axis), levels[2]), rangeRows(table), 1};
}

OwningOpRef<ModuleOp> lowerTableRanges(MLIRContext &context, const GpuProgram &program, const GpuRangedTable &table) {
  constexpr int64_t threads = 1024;
  StageKernel kernel(context, program, "ranges_" + table.name, {"window", "row", "unused"}, threads);
  GpuKernelBuilder &b = kernel.b;
  GpuPairScope scope(b);
  TableView view = scope.table(table.name, table.type);
  Value offset = b.constant(int64_t{0}), rest = b.item(1);
  for (size_t axis = table.type.getAxes().size(); axis-- > 0;) { // the last axis runs fastest
    if (axis == table.axis)
      continue;
    Value entry = b.remainder("entry", rest, view.sizes[axis]);
    offset = b.add("row_offset", offset, b.mul("entry_offset", entry, view.strides[axis]));
    rest = b.quotient("rows_left", rest, view.sizes[axis]);
  }
  b.call("table_ranges", "table_ranges", {b.integer(threads)},
         {b.item(0), b.item(1), view.base, offset, view.sizes[table.axis], view.strides[table.axis],
          scope.ranges(table.name, table.type)},
         /*shared=*/true);
  return kernel.finish(256);
}

} // namespace tercet::compiler
