// The online-softmax step on the CPU, on scores in registers and on scores in memory.
//
// While no score exceeds the threshold and no row is fresh: p = exp2(s), 16 partial sums per row. Else the exact row
// maximum first; that path rescales sum and acc and is taken rarely, or by every block of ascending scores at the cost
// of the textbook form.
#include "KernelLowering.h"

#include <limits>

using namespace mlir;
using namespace tercet;
using namespace tercet::codegen;

static Value lowestOf(OpBuilder &b, Location loc) {
  return b.create<arith::ConstantOp>(loc, b.getF32FloatAttr(-std::numeric_limits<float>::infinity()));
}

KernelLowering::SoftmaxRows KernelLowering::softmaxRows(Value max, Value sum, Value acc, const APFloat &threshold) {
  return {views.lookup(max), views.lookup(sum), views.lookup(acc),
          cast<tkern::ViewType>(acc.getType()).getCols() / target.lanes, threshold.convertToFloat()};
}

KernelLowering::SoftmaxRows KernelLowering::SoftmaxRows::from(KernelLowering &k, Value row) const {
  Type f32 = k.b.getF32Type();
  Value zero = k.i64(0);
  return {k.offset(max, row, zero, f32), k.offset(sum, row, zero, f32), k.offset(acc, row, zero, f32), accVectors,
          threshold};
}

// Moves a row's reference up to `top`, relative to the present one, and what was summed with it; returns by how much: by what it moves
// after rounding, or LSE would name another reference than the one that sums are relative to. A reference that moves once more goes a
// threshold beyond `top`: scores that ascend then move it half as often, and exponents stay within a threshold of 0 as before.
Value KernelLowering::raise(const SoftmaxRows &row, Value top, Value present, Value fresh) {
  Type f32 = b.getF32Type();
  Value lowest = lowestOf(b, loc), zero = real(0, f32), threshold = real(row.threshold, f32);
  Value rises = compare(arith::CmpFPredicate::OGT, top, choose(fresh, lowest, threshold));
  Value lead = b.create<arith::AddFOp>(loc, top, choose(fresh, zero, threshold));
  Value base = choose(fresh, zero, present), next = b.create<arith::AddFOp>(loc, base, lead);
  Value delta = choose(rises, b.create<arith::SubFOp>(loc, next, base), zero);
  b.create<LLVM::StoreOp>(loc, choose(rises, next, present), row.max.base);
  Value shrink = choose(fresh, zero, b.create<arith::NegFOp>(loc, delta));
  Value alpha = exp2(broadcast(shrink, target.lanes));
  auto rescale = [&](const Address &memory, int64_t vectors) {
    for (int64_t i = 0; i < vectors; ++i) {
      Value place = at(memory, 0, i * target.lanes, f32);
      storeVector(b.create<arith::MulFOp>(loc, loadVector(place, f32, target.lanes), alpha), place, f32);
    }
  };
  rescale(row.sum, 16 / target.lanes);
  rescale(row.acc, row.accVectors);
  return delta;
}

// p of a row's scores, vector by vector, and its partial sums.
void KernelLowering::exponentials(const SoftmaxRows &row, int64_t vectors, llvm::function_ref<Value(int64_t)> score,
                                  llvm::function_ref<void(int64_t, Value)> keep) {
  Type f32 = b.getF32Type();
  int64_t sums = 16 / target.lanes;
  SmallVector<Value> partial;
  for (int64_t i = 0; i < sums; ++i)
    partial.push_back(loadVector(at(row.sum, 0, i * target.lanes, f32), f32, target.lanes));
  for (int64_t i = 0; i < vectors; ++i) {
    Value p = row.threshold <= maxBoundedExponent ? boundedExp2(score(i)) : exp2(score(i));
    partial[i % sums] = b.create<arith::AddFOp>(loc, partial[i % sums], p);
    keep(i, p);
  }
  for (int64_t i = 0; i < sums; ++i)
    storeVector(partial[i], at(row.sum, 0, i * target.lanes, f32), f32);
}

void KernelLowering::lower(tkern::SoftmaxStepOp op) {
  tkern::TileType tile = op.getScores().getType();
  Type f32 = b.getF32Type(), vector = vectorType(target.lanes);
  int64_t perRow = tile.getCols() / target.lanes;
  Vectors scores = tiles.find(op.getScores())->second;
  SoftmaxRows all = softmaxRows(op.getMax(), op.getSum(), op.getAcc(), op.getThreshold());
  SmallVector<SoftmaxRows> rows;
  for (int64_t row = 0; row < tile.getRows(); ++row)
    rows.push_back(all.from(*this, i64(row)));

  // A NaN is passed over here: it would hide a score of another row.
  Value highest = real(all.threshold, vector), lowest = lowestOf(b, loc);
  for (Value next : scores)
    highest = maximum(next, highest);
  Value any = anyLane(compare(arith::CmpFPredicate::OGT, highest, real(all.threshold, vector)));
  SmallVector<Value> present, fresh;
  for (const SoftmaxRows &row : rows) {
    present.push_back(b.create<LLVM::LoadOp>(loc, f32, row.max.base));
    fresh.push_back(compare(arith::CmpFPredicate::OEQ, present.back(), lowest));
    if (op.getFirst())
      fresh.back() = b.create<arith::OrIOp>(loc, fresh.back(), mapped(op.getFirst()));
    any = b.create<arith::OrIOp>(loc, any, fresh.back());
  }

  auto branch = b.create<scf::IfOp>(loc, SmallVector<Type>(scores.size(), vector), any, /*addThenBlock=*/true,
                                    /*addElseBlock=*/true);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(branch.thenBlock());
    Vectors shifted;
    for (auto [row, places] : llvm::enumerate(rows)) {
      ArrayRef<Value> ofRow = ArrayRef<Value>(scores).slice(row * perRow, perRow);
      Value delta = raise(places, reduce(tkern::ReduceKind::Max, ofRow), present[row], fresh[row]);
      Value splat = broadcast(delta, target.lanes);
      for (Value score : ofRow)
        shifted.push_back(b.create<arith::SubFOp>(loc, score, splat));
    }
    b.create<scf::YieldOp>(loc, shifted);
    b.setInsertionPointToEnd(branch.elseBlock());
    b.create<scf::YieldOp>(loc, scores);
  }

  Vectors p;
  for (auto [row, places] : llvm::enumerate(rows))
    exponentials(
        places, perRow, [&, first = row * perRow](int64_t i) { return branch.getResult(first + i); },
        [&](int64_t, Value vector) { p.push_back(vector); });
  tiles[op.getP()] = std::move(p);
}

// Three passes over the tile, row by row: the highest score, the rare path, p.
void KernelLowering::lower(tkern::SoftmaxInPlaceOp op) {
  tkern::ViewType type = op.getScores().getType();
  Type f32 = b.getF32Type();
  int64_t vectors = type.getCols() / target.lanes;
  Address scores = views.lookup(op.getScores());
  SoftmaxRows all = softmaxRows(op.getMax(), op.getSum(), op.getAcc(), op.getThreshold());
  Value lowest = lowestOf(b, loc);
  auto isFresh = [&](Value present) { return compare(arith::CmpFPredicate::OEQ, present, lowest); };
  auto forRows = [&](ValueRange carried,
                     llvm::function_ref<SmallVector<Value>(Value, const Address &, ValueRange)> body) {
    auto loop = b.create<scf::ForOp>(loc, i64(0), i64(type.getRows()), i64(1), carried);
    OpBuilder::InsertionGuard guard(b);
    if (carried.empty())
      b.setInsertionPoint(loop.getBody()->getTerminator());
    else
      b.setInsertionPointToEnd(loop.getBody());
    Value row = loop.getInductionVar();
    SmallVector<Value> next = body(row, offset(scores, row, i64(0), f32), loop.getRegionIterArgs());
    if (!carried.empty())
      b.create<scf::YieldOp>(loc, next);
    return loop;
  };
  auto place = [&](const Address &row, int64_t i) { return at(row, 0, i * target.lanes, f32); };
  auto load = [&](const Address &row, int64_t i) { return loadVector(place(row, i), f32, target.lanes); };

  constexpr int64_t chains = 2; // maxima side by side
  Value lowestVector = real(-std::numeric_limits<double>::infinity(), vectorType(target.lanes));
  SmallVector<Value> start(chains, lowestVector);
  start.push_back(b.create<arith::ConstantIntOp>(loc, 0, 1));
  auto look = forRows(start, [&](Value row, const Address &scoresOfRow, ValueRange carried) {
    SmallVector<Value> next(carried);
    for (int64_t i = 0; i < vectors; ++i)
      next[i % chains] = maximum(load(scoresOfRow, i), next[i % chains]); // passes a NaN over, as softmax_step does
    Value present = b.create<LLVM::LoadOp>(loc, f32, all.from(*this, row).max.base);
    next[chains] = b.create<arith::OrIOp>(loc, next[chains], isFresh(present));
    return next;
  });
  Value highest = maximum(look.getResult(0), look.getResult(1));
  Value over = compare(arith::CmpFPredicate::OGT, highest, real(all.threshold, highest.getType()));
  Value any = b.create<arith::OrIOp>(loc, anyLane(over), look.getResult(chains));
  auto branch = b.create<scf::IfOp>(loc, any, /*withElseRegion=*/false);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(branch.thenBlock()->getTerminator());
    forRows({}, [&](Value row, const Address &scoresOfRow, ValueRange) {
      Vectors ofRow;
      for (int64_t i = 0; i < vectors; ++i)
        ofRow.push_back(load(scoresOfRow, i));
      SoftmaxRows places = all.from(*this, row);
      Value present = b.create<LLVM::LoadOp>(loc, f32, places.max.base);
      Value delta = raise(places, reduce(tkern::ReduceKind::Max, ofRow), present, isFresh(present));
      Value splat = broadcast(delta, target.lanes);
      for (auto [i, score] : llvm::enumerate(ofRow))
        storeVector(b.create<arith::SubFOp>(loc, score, splat), place(scoresOfRow, i), f32);
      return SmallVector<Value>();
    });
  }
  forRows({}, [&](Value row, const Address &scoresOfRow, ValueRange) {
    exponentials(
        all.from(*this, row), vectors, [&](int64_t i) { return load(scoresOfRow, i); },
        [&](int64_t i, Value p) { storeVector(p, place(scoresOfRow, i), f32); });
    return SmallVector<Value>();
  });
}
