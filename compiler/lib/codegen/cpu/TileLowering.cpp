// Element-wise bodies, row reductions and the online-softmax step on the CPU.
#include "KernelLowering.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::codegen;

void KernelLowering::lower(tkern::SplatOp op) {
  tkern::TileType tile = op.getTile().getType();
  int64_t lanes = lanesOf(tile.getCols());
  tiles[op.getTile()] = Vectors(tile.getRows() * (tile.getCols() / lanes), broadcast(mapped(op.getValue()), lanes));
}

// The body's ops, cloned once per vector of the result; broadcast operands are splat per row or shared by all rows.
void KernelLowering::lower(tkern::MapOp op) {
  tkern::TileType tile = op.getResult().getType();
  int64_t lanes = lanesOf(tile.getCols()), perRow = tile.getCols() / lanes;
  Block &body = op.getBody().front();
  Vectors result;
  llvm::DenseMap<Value, Value> rowSplats; // single-column operands, splat once per row
  for (int64_t row = 0; row < tile.getRows(); ++row) {
    rowSplats.clear();
    for (int64_t col = 0; col < perRow; ++col) {
      llvm::DenseMap<Value, Value> local;
      for (auto [input, argument] : llvm::zip(op.getInputs(), body.getArguments())) {
        auto from = cast<tkern::TileType>(input.getType());
        const Vectors &vectors = tiles.find(input)->second;
        int64_t fromRow = from.getRows() == 1 ? 0 : row;
        if (from.getCols() == tile.getCols()) {
          local[argument] = vectors[fromRow * perRow + col];
          continue;
        }
        Value &splat = rowSplats[argument];
        if (!splat)
          splat = broadcast(vectors[fromRow], lanes);
        local[argument] = splat;
      }
      auto value = [&](Value v) -> Value {
        if (Value known = local.lookup(v))
          return known;
        Value outside = mapped(v);
        return local[v] = outside.getType().isF32() ? broadcast(outside, lanes) : outside;
      };
      for (Operation &inner : body.without_terminator()) {
        SmallVector<Value> operands;
        for (Value operand : inner.getOperands())
          operands.push_back(value(operand));
        if (Value computed = mathOp(&inner, operands)) {
          local[inner.getResult(0)] = computed;
          continue;
        }
        if (auto constant = dyn_cast<arith::ConstantOp>(inner)) {
          Value scalar = b.create<arith::ConstantOp>(loc, constant.getValue());
          local[constant] = broadcast(scalar, lanes);
          continue;
        }
        Type element = inner.getResult(0).getType();
        Type type = lanes == 1 ? element : Type(VectorType::get({lanes}, element));
        local[inner.getResult(0)] =
            b.create(loc, inner.getName().getIdentifier(), operands, type, inner.getAttrs())->getResult(0);
      }
      result.push_back(value(cast<tkern::YieldOp>(body.getTerminator()).getValue()));
    }
  }
  tiles[op.getResult()] = std::move(result);
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

// While no score exceeds the threshold: p = exp2(s), 16 partial sums per row. Else the exact row maximum first; that
// path rescales sum and acc and is taken rarely, or by every block of ascending scores at the cost of the textbook
// form.
void KernelLowering::lower(tkern::SoftmaxStepOp op) {
  tkern::TileType tile = op.getScores().getType();
  Type f32 = b.getF32Type(), vector = vectorType(target.lanes);
  int64_t perRow = tile.getCols() / target.lanes, sums = 16 / target.lanes;
  Address max = views.lookup(op.getMax()), sum = views.lookup(op.getSum()), acc = views.lookup(op.getAcc());
  Value first = mapped(op.getFirst());
  Vectors scores = tiles.find(op.getScores())->second;

  Value highest = tiles.find(op.getScores())->second.front();
  for (Value next : ArrayRef<Value>(scores).drop_front())
    highest = maximum(highest, next);
  Value over = b.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OGT, highest,
                                       real(op.getThreshold().convertToFloat(), vector));
  Type maskType = b.getIntegerType(target.lanes);
  Value mask = b.create<LLVM::BitcastOp>(loc, maskType, over);
  Value any = b.create<arith::CmpIOp>(loc, arith::CmpIPredicate::ne, mask,
                                      b.create<arith::ConstantOp>(loc, b.getIntegerAttr(maskType, 0)).getResult());
  any = b.create<arith::OrIOp>(loc, any, first);

  auto branch = b.create<scf::IfOp>(loc, SmallVector<Type>(scores.size(), vector), any, /*addThenBlock=*/true,
                                    /*addElseBlock=*/true);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(branch.thenBlock());
    Vectors shifted;
    int64_t accVectors = op.getAcc().getType().getCols() / target.lanes;
    Value zero = real(0, f32);
    for (int64_t row = 0; row < tile.getRows(); ++row) {
      Value top = reduce(tkern::ReduceKind::Max, ArrayRef<Value>(scores).slice(row * perRow, perRow));
      Value rises =
          b.create<arith::OrIOp>(loc, first, b.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OGT, top, zero));
      Value delta = b.create<arith::SelectOp>(loc, rises, top, zero);
      Value address = at(max, row, 0, f32);
      Value moved = b.create<arith::AddFOp>(loc, b.create<LLVM::LoadOp>(loc, f32, address), delta);
      b.create<LLVM::StoreOp>(loc, moved, address);
      Value shrink = b.create<arith::SelectOp>(loc, first, zero, b.create<arith::NegFOp>(loc, delta));
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
