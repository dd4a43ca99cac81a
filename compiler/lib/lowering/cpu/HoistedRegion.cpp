#include "HoistedRegion.h"

#include "BlockTokens.h"
#include "PairDependence.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

// Tiles hold f32: an i32 passes as its bits, an i1 as an i32 that is 0 or -1.
static Value toBits(OpBuilder &b, Location loc, Value value) {
  Type f32 = b.getF32Type(), i32 = b.getI32Type();
  if (value.getType() == f32)
    return value;
  if (value.getType().isInteger(1))
    value = b.create<arith::ExtSIOp>(loc, i32, value);
  return b.create<arith::BitcastOp>(loc, f32, value);
}

static Value fromBits(OpBuilder &b, Location loc, Value bits, Type type) {
  if (type == bits.getType())
    return bits;
  Value whole = b.create<arith::BitcastOp>(loc, b.getI32Type(), bits);
  if (!type.isInteger(1))
    return whole;
  Value zero = b.create<arith::ConstantIntOp>(loc, 0, 32);
  return b.create<arith::CmpIOp>(loc, arith::CmpIPredicate::ne, whole, zero);
}

HoistedRegion::HoistedRegion(KernelBuilder &k, Region &region, PairScope &scope, unsigned first, Value batch,
                             Value head, int64_t rows, int64_t cols, Rows kind)
    : k(k), region(region, scope), query(first + 2), key(first + 3), kind(kind), cols(cols) {
  this->region.bind(first, k.narrow(batch));
  this->region.bind(first + 1, k.narrow(head));
  this->region.clone(k.raw());
  findPrepared(first, rows, cols);
}

// The values of one index alone that pairs use, but for the index itself and constants.
void HoistedRegion::findPrepared(unsigned first, int64_t rows, int64_t cols) {
  Block &block = region.block();
  llvm::DenseMap<Value, unsigned> dependence = pairDependence(block, first);
  auto use = [&](Value value) {
    unsigned on = dependence.lookup(value);
    if (isa<BlockArgument>(value) || (on != onQuery && on != onKey))
      return;
    bool isOfRows = (on == onQuery) == (kind == Rows::queries);
    auto &list = isOfRows ? ofRows : ofColumns;
    if (llvm::none_of(list, [&](const Prepared &known) { return known.ofRegion == value; }))
      list.push_back({value, isOfRows ? k.scratch(rows, 1) : k.scratch(1, cols)});
  };
  for (Operation &op : block.without_terminator())
    if (dependence.lookup(op.getResult(0)) == onBoth)
      llvm::for_each(op.getOperands(), use);
  use(region.yielded());
}

// Positions count along the one row or column that the body runs over, where they are not given.
void HoistedRegion::prepare(const Prepared &value, unsigned argument, bool isRow, Value position, Value row,
                            Value positions) {
  Value zero = k.index(0), empty = k.splat(k.real(0), 1, isRow ? 1 : cols);
  Value filled = k.mapPairs(empty, isRow ? position : zero, isRow ? zero : position,
                            positions ? ValueRange(positions) : ValueRange(),
                            [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
                              PairRegion copy = region;
                              Value counted = isRow ? v[1] : v[2];
                              copy.bind(argument, positions ? BlockTokens::position(body, loc, v[3]) : counted);
                              return toBits(body, loc, copy.make(body, value.ofRegion));
                            });
  k.store(filled, value.memory, isRow ? row : zero);
}

void HoistedRegion::prepareRows(Value count, function_ref<Value(Value)> positionOf) {
  if (ofRows.empty())
    return;
  k.loop(k.index(0), count, 1, [&](Value row) {
    Value position = positionOf(row);
    for (const Prepared &value : ofRows)
      prepare(value, kind == Rows::queries ? query : key, /*isRow=*/true, position, row);
  });
}

void HoistedRegion::prepareColumns(Value first, Value positions) {
  for (const Prepared &value : ofColumns)
    prepare(value, kind == Rows::queries ? key : query, /*isRow=*/false, first, {}, positions);
}

SmallVector<Value> HoistedRegion::inputs(Value row, int64_t rows, Value col, int64_t cols) {
  SmallVector<Value> tiles;
  for (const Prepared &value : ofRows)
    tiles.push_back(k.load(value.memory, row, rows, 1));
  for (const Prepared &value : ofColumns)
    tiles.push_back(k.load(value.memory, k.index(0), 1, cols, col));
  return tiles;
}

Value HoistedRegion::emit(OpBuilder &body, Value score, Value queryPosition, Value keyPosition,
                          ValueRange prepared) const {
  PairRegion copy = region;
  Location loc = k.location();
  auto take = [&](ArrayRef<Prepared> values, ValueRange from) {
    for (auto [value, bits] : llvm::zip(values, from)) {
      Type type = value.ofRegion.getType();
      copy.set(value.ofRegion, fromBits(body, loc, bits, type.isIndex() ? body.getI32Type() : type));
    }
  };
  take(ofRows, prepared.take_front(ofRows.size()));
  take(ofColumns, prepared.drop_front(ofRows.size()));
  copy.invert(body);
  copy.bind(query, queryPosition);
  copy.bind(key, keyPosition);
  if (score)
    copy.bind(0, score);
  return copy.make(body, region.yielded());
}
