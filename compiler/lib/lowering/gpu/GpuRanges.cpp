#include "GpuRanges.h"

#include "StageKernel.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

// The sizes of blocks in table_ranges.cuh.
constexpr int64_t levels[] = {64, 64 * 32, 64 * 32 * 32};

ir::TableType typeOf(const RangedTable &ranged) { return cast<ir::TableType>(ranged.table.getType()); }

Expr sizeOf(const RangedTable &ranged, size_t axis) {
  return Expr::symbol(ir::argumentName(ranged.table) + ".size" + std::to_string(axis));
}

Expr rows(const RangedTable &ranged) {
  Expr product = 1;
  for (size_t axis = 0; axis < typeOf(ranged).getAxes().size(); ++axis)
    if (axis != ranged.axis)
      product = product * sizeOf(ranged, axis);
  return product;
}

Value rangesOf(GpuPairScope &scope, const RangedTable &ranged) {
  return scope.buffer(rangesName(ranged), typeOf(ranged).getElementType());
}

} // namespace

std::optional<Bounds> readRange(GpuPairScope &scope, const GpuProgram &program, ir::ReadOp read,
                                ArrayRef<Bounds> indices) {
  Block *region = read->getBlock();
  std::optional<RangedTable> ranged = rangedTableOf(read, pairDependence(*region, /*first=*/0));
  if (!ranged || !llvm::is_contained(program.ranged, *ranged))
    return std::nullopt;
  GpuKernelBuilder &b = scope.builder();
  TableView view = scope.table(ir::argumentName(ranged->table), typeOf(*ranged));
  Value row = b.constant(int64_t{0}), zero = row, one = b.constant(int64_t{1});
  for (size_t axis = 0; axis < indices.size(); ++axis) {
    if (axis == ranged->axis)
      continue;
    Value last = b.sub("last_entry", view.sizes[axis], one);
    Value known = b.make<arith::MinSIOp>("entry", b.make<arith::MaxSIOp>("from_0", indices[axis].low, zero), last);
    row = b.add("range_row", b.mul("rows_before", row, view.sizes[axis]), known);
  }
  const Bounds &along = indices[ranged->axis];
  SmallVector<Value> inputs = {rangesOf(scope, *ranged), row, view.sizes[ranged->axis],
                               scope.narrow("first", along.low), scope.narrow("last", along.high)};
  bool isFloat = typeOf(*ranged).getElementType().isF32();
  auto bound = [&](StringRef word) -> Value {
    Type type = isFloat ? Type(b.builder.getF32Type()) : Type(b.builder.getI32Type());
    Value found = b.compute(word, type, (word + "_of").str(), "table_ranges", {}, inputs);
    return isFloat ? found : b.make<arith::IndexCastOp>(word, b.builder.getIndexType(), found);
  };
  return Bounds{bound("least"), bound("largest")};
}

std::string rangesName(const RangedTable &ranged) {
  return ir::argumentName(ranged.table) + "_ranges" + std::to_string(ranged.axis);
}

Expr rangesBytes(const RangedTable &ranged) {
  Expr blocks = 0;
  for (int64_t size : levels)
    blocks = blocks + ceildiv(sizeOf(ranged, ranged.axis), size);
  return rows(ranged) * blocks * 8;
}

std::array<Expr, 3> rangesGrid(const RangedTable &ranged) {
  return {ceildiv(sizeOf(ranged, ranged.axis), levels[2]), rows(ranged), 1};
}

void addRangeStages(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program) {
  for (const RangedTable &ranged : program.ranged)
    stages
        .emplace_back(makeStage(rangesName(ranged), "prologue", rangesGrid(ranged), "65536 entries per block",
                                [&context, &program, ranged] { return lowerTableRanges(context, program, ranged); }))
        .once = true;
}

void addRangeBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program) {
  for (const RangedTable &ranged : program.ranged)
    buffers.push_back({rangesName(ranged), rangesBytes(ranged), "least and largest entries of blocks of a table"});
}

OwningOpRef<ModuleOp> lowerTableRanges(MLIRContext &context, const GpuProgram &program, const RangedTable &ranged) {
  constexpr int64_t threads = 1024;
  StageKernel kernel(context, program, rangesName(ranged), {"window", "row", "unused"}, threads);
  GpuKernelBuilder &b = kernel.b;
  GpuPairScope scope(b);
  TableView view = scope.table(ir::argumentName(ranged.table), typeOf(ranged));
  Value offset = b.constant(int64_t{0}), rest = b.item(1);
  for (size_t axis = view.sizes.size(); axis-- > 0;) { // the last axis runs fastest
    if (axis == ranged.axis)
      continue;
    Value entry = b.remainder("entry", rest, view.sizes[axis]);
    offset = b.add("row_offset", offset, b.mul("entry_offset", entry, view.strides[axis]));
    rest = b.quotient("rows_left", rest, view.sizes[axis]);
  }
  b.call("table_ranges", "table_ranges", {b.integer(threads)},
         {b.item(0), b.item(1), view.base, offset, view.sizes[ranged.axis], view.strides[ranged.axis],
          rangesOf(scope, ranged)},
         /*shared=*/true);
  return kernel.finish(256);
}

} // namespace tercet::compiler
