// attend: O and LSE of an item's rows, with the projected linear branch.
#include "AttendBuilder.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

static constexpr double ln2 = 0.6931471805599453;

// O_l W^T of `rows` rows from `row` on, O_l itself without a projection, and 0 where the linear set is empty.
Value AttendBuilder::projectedTile(Value row, int64_t rows) {
  Value token = k.add(k.mul(k.item(1), k.mul(slots.blocksQ, schedule.blockQ)), k.add(firstToken, row));
  Value plain = k.view(slots.linear, k.mul(token, schedule.valueDim), schedule.valueDim);
  Value projected = k.scratch(rows, schedule.valueDim);
  auto copy = [&] { k.store(k.load(plain, zero, rows, schedule.valueDim), projected, zero); };
  auto multiply = [&] {
    Value weights = k.view(slots.packedW, zero, schedule.valueDim);
    for (int64_t col = 0; col < schedule.valueDim; col += 64) {
      int64_t cols = std::min<int64_t>(64, schedule.valueDim - col);
      Value product =
          k.matmul(plain, k.subview(weights, zero, k.index(col)), k.splat(k.real(0), rows, cols), program.valueDim);
      k.store(product, projected, zero, k.index(col));
    }
  };
  auto project = [&] {
    if (program.weight.empty())
      copy();
    else
      k.when(k.isNull(slots.w), copy, multiply);
  };
  if (program.globalState()) {
    project();
  } else {
    Value block = k.add(k.mul(k.item(1), slots.blocksQ), k.div(k.add(firstToken, row), k.index(schedule.blockQ)));
    k.when(k.notEqual(k.read(slots.linearCounts, block), zero), project,
           [&] { k.store(k.splat(k.real(0), rows, schedule.valueDim), projected, zero); });
  }
  return k.load(projected, zero, rows, schedule.valueDim);
}

// O_l W^T + b.
Value AttendBuilder::linearTile(Value row, int64_t rows) {
  Value projected = projectedTile(row, rows);
  if (program.weight.empty())
    return projected;
  Value bias = k.view(slots.packedB, zero, schedule.valueDim);
  return k.map(
      {projected, k.load(bias, zero, 1, schedule.valueDim)},
      [](OpBuilder &body, Location loc, ValueRange v) -> Value { return body.create<arith::AddFOp>(loc, v[0], v[1]); });
}

// LSE of rows from `row` on, `left` of them, where it is asked for.
void AttendBuilder::storeLse(Value row, Value left, function_ref<Value()> make) {
  k.when(k.negate(k.isNull(slots.lse)), [&] {
    Value offset = k.add(k.add(k.mul(batch, slots.lseStrideB), k.mul(head, slots.lseStrideH)),
                         k.mul(firstToken, slots.lseStrideN));
    k.store(make(), k.view(slots.lse, offset, 1, slots.lseStrideN), row, {}, left);
  });
}

void AttendBuilder::epilogue() {
  int64_t rows = schedule.rowTile, cols = schedule.valueDim;
  Value offset =
      k.add(k.add(k.mul(batch, slots.oStrideB), k.mul(head, slots.oStrideH)), k.mul(firstToken, slots.oStrideN));
  Value target = k.view(slots.o, offset, program.valueDim, slots.oStrideN);
  Value width = cols == program.valueDim ? Value() : k.index(program.valueDim);
  Value null = k.real(0), one = k.real(1);
  k.loop(zero, validRows, rows, [&](Value row) {
    Value left = k.sub(validRows, row), out;
    if (program.exact) {
      Value total = k.reduce(tkern::ReduceKind::Add, k.load(sum, row, rows, 16));
      Value divisor = k.map({total}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
        Value live = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::UNE, v[0], null); // NaN stays NaN
        return body.create<arith::SelectOp>(loc, live, v[0], one);                           // 0 / 1 = 0
      });
      out = k.map({k.load(acc, row, rows, cols), divisor}, [](OpBuilder &body, Location loc, ValueRange v) -> Value {
        return body.create<arith::DivFOp>(loc, v[0], v[1]);
      });
      storeLse(row, left, [&] {
        Value high = k.real(ln2), low = k.real(ln2 - static_cast<float>(ln2));
        return k.map({k.load(max, row, rows, 1), total}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
          // (max + log2 sum) ln 2 with ln 2 in two floats
          Value rest = body.create<math::FmaOp>(
              loc, v[0], low, body.create<arith::MulFOp>(loc, body.create<math::Log2Op>(loc, v[1]), high));
          Value natural = body.create<math::FmaOp>(loc, v[0], high, rest);
          Value live = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::UNE, v[1], null);
          return body.create<arith::SelectOp>(loc, live, natural, lowest);
        });
      });
    }
    if (program.linear) {
      Value rest = linearTile(row, rows);
      out = !out ? rest : k.map({out, rest}, [](OpBuilder &body, Location loc, ValueRange v) -> Value {
        return body.create<arith::AddFOp>(loc, v[0], v[1]);
      });
    }
    k.store(out, target, row, {}, left, width);
  });
  // Rows beyond the length: O = 0, LSE = -inf.
  k.loop(validRows, presentRows, 1, [&](Value row) {
    k.store(k.splat(null, 1, cols), target, row, {}, {}, width);
    if (program.exact)
      storeLse(row, {}, [&] { return k.splat(lowest, 1, 1); });
  });
}
