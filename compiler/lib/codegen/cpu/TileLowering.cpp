// Splats, row reductions and the online-softmax step on the CPU.
#include "KernelLowering.h"

#include <limits>

using namespace mlir;
using namespace tercet;
using namespace tercet::codegen;

void KernelLowering::lower(tkern::SplatOp op) {
  tkern::TileType tile = op.getTile().getType();
  int64_t lanes = lanesOf(tile.getCols());
  tiles[op.getTile()] = Vectors(tile.getRows() * (tile.getCols() / lanes), broadcast(mapped(op.getValue()), lanes));
}

void KernelLowering::lower(tkern::ReduceOp op) {
  tkern::TileType tile = op.getTile().getType();
  int64_t perRow = tile.getCols() / lanesOf(tile.getCols());
  ArrayRef<Value> vectors = tiles.find(op.getTile())->second;
  Vectors result;
  for (int64_t row = 0; row < tile.getRows(); ++row)
    result.push_back(reduce(op.getKind(), vectors.slice(row * perRow, perRow)));
  tiles[op.getResult()] = std::move(result);
}

// Whether a vector of flags, or a flag, holds a set one.
Value KernelLowering::anyLane(Value flags) {
  auto vector = dyn_cast<VectorType>(flags.getType());
  if (!vector)
    return flags;
  Type bits = b.getIntegerType(vector.getDimSize(0));
  return compare(arith::CmpIPredicate::ne, b.create<LLVM::BitcastOp>(loc, bits, flags),
                 b.create<arith::ConstantOp>(loc, b.getIntegerAttr(bits, 0)));
}

void KernelLowering::lower(tkern::AnyOp op) {
  Value above;
  for (Value part : tiles.find(op.getTile())->second) {
    Value flags = compare(arith::CmpFPredicate::OGT, part, real(0, part.getType()));
    above = above ? Value(b.create<arith::OrIOp>(loc, above, flags)) : flags;
  }
  scalars[op] = anyLane(above);
}

// While no score exceeds the threshold and no row is fresh: p = exp2(s), 16 partial sums per row. Else the exact row
// maximum first; that path rescales sum and acc and is taken rarely, or by every block of ascending scores at the cost
// of the textbook form.
void KernelLowering::lower(tkern::SoftmaxStepOp op) {
  tkern::TileType tile = op.getScores().getType();
  Type f32 = b.getF32Type(), vector = vectorType(target.lanes);
  int64_t perRow = tile.getCols() / target.lanes, sums = 16 / target.lanes;
  Address max = views.lookup(op.getMax()), sum = views.lookup(op.getSum()), acc = views.lookup(op.getAcc());
  Vectors scores = tiles.find(op.getScores())->second;

  Value highest = tiles.find(op.getScores())->second.front();
  for (Value next : ArrayRef<Value>(scores).drop_front())
    highest = maximum(highest, next);
  Value any = anyLane(compare(arith::CmpFPredicate::OGT, highest, real(op.getThreshold().convertToFloat(), vector)));
  Value lowest = real(-std::numeric_limits<float>::infinity(), f32), zero = real(0, f32);
  SmallVector<Value> tops, fresh;
  for (int64_t row = 0; row < tile.getRows(); ++row) {
    tops.push_back(b.create<LLVM::LoadOp>(loc, f32, at(max, row, 0, f32)));
    fresh.push_back(compare(arith::CmpFPredicate::OEQ, tops[row], lowest));
    if (op.getFirst())
      fresh[row] = b.create<arith::OrIOp>(loc, fresh[row], mapped(op.getFirst()));
    any = b.create<arith::OrIOp>(loc, any, fresh[row]);
  }

  auto branch = b.create<scf::IfOp>(loc, SmallVector<Type>(scores.size(), vector), any, /*addThenBlock=*/true,
                                    /*addElseBlock=*/true);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(branch.thenBlock());
    Vectors shifted;
    int64_t accVectors = op.getAcc().getType().getCols() / target.lanes;
    for (int64_t row = 0; row < tile.getRows(); ++row) {
      Value top = reduce(tkern::ReduceKind::Max, ArrayRef<Value>(scores).slice(row * perRow, perRow));
      Value rises = compare(arith::CmpFPredicate::OGT, top, choose(fresh[row], lowest, zero));
      Value delta = choose(rises, top, zero), base = choose(fresh[row], zero, tops[row]);
      Value moved = choose(rises, b.create<arith::AddFOp>(loc, base, top), tops[row]);
      b.create<LLVM::StoreOp>(loc, moved, at(max, row, 0, f32));
      Value shrink = choose(fresh[row], zero, b.create<arith::NegFOp>(loc, delta));
      Value alpha = exp2(broadcast(shrink, target.lanes));
      auto rescale = [&](const Address &memory, int64_t vectors) {
        for (int64_t i = 0; i < vectors; ++i) {
          Value place = at(memory, row, i * target.lanes, f32);
          storeVector(b.create<arith::MulFOp>(loc, loadVector(place, f32, target.lanes), alpha), place, f32);
        }
      };
      rescale(sum, sums);
      rescale(acc, accVectors);
      Value splat = broadcast(delta, target.lanes);
      for (int64_t i = 0; i < perRow; ++i)
        shifted.push_back(b.create<arith::SubFOp>(loc, scores[row * perRow + i], splat));
    }
    b.create<scf::YieldOp>(loc, shifted);
    b.setInsertionPointToEnd(branch.elseBlock());
    b.create<scf::YieldOp>(loc, scores);
  }

  Vectors p;
  for (int64_t row = 0; row < tile.getRows(); ++row) {
    SmallVector<Value> partial;
    for (int64_t i = 0; i < sums; ++i)
      partial.push_back(loadVector(at(sum, row, i * target.lanes, f32), f32, target.lanes));
    for (int64_t i = 0; i < perRow; ++i) {
      p.push_back(exp2(branch.getResult(row * perRow + i)));
      partial[i % sums] = b.create<arith::AddFOp>(loc, partial[i % sums], p.back());
    }
    for (int64_t i = 0; i < sums; ++i)
      storeVector(partial[i], at(sum, row, i * target.lanes, f32), f32);
  }
  tiles[op.getP()] = std::move(p);
}
