// attend: the sparse loop of a super row, with block means under the same softmax, and the projected linear branch
// added in the epilogue. K and V tiles come packed in f32; scores run in log2 units, relative to the running maximum of
// their row.
#include "CpuKernels.h"
#include "KernelBuilder.h"

#include "tercet/Builtins.h"

#include <limits>

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

namespace {
constexpr double log2e = 1.4426950408889634, ln2 = 0.6931471805599453;
constexpr int64_t meanTile = 64; // tercet/Builtins.h: blocks of a mean tile

/// The argument block, in slot order.
struct AttendSlots {
  explicit AttendSlots(KernelBuilder &k, const Program &program)
      : q(k.pointer(program.dtype)), qStrideB(k.integer()), qStrideH(k.integer()), qStrideN(k.integer()),
        o(k.pointer(program.dtype)), oStrideB(k.integer()), oStrideH(k.integer()), oStrideN(k.integer()),
        lse(k.pointer(DType::f32)), lseStrideB(k.integer()), lseStrideH(k.integer()), lseStrideN(k.integer()),
        qLengths(k.pointer(DType::i32)), kLengths(k.pointer(DType::i32)), headsKV(k.integer()), headsPerKV(k.integer()),
        tokensQ(k.integer()), tokensK(k.integer()), firstPair(k.integer()), packedK(k.pointer(DType::f32)),
        packedV(k.pointer(DType::f32)), tilesPerPair(k.integer()), lists(k.pointer(DType::i32)),
        counts(k.pointer(DType::i32)), capacity(k.integer()), superRows(k.integer()), scale(k.wideScalar()),
        meanK(k.pointer(DType::f32)), meanV(k.pointer(DType::f32)), meanTilesPerPair(k.integer()),
        classes(k.pointer(DType::i8)), classStrideB(k.integer()), classStrideH(k.integer()), classStrideI(k.integer()),
        blocksQ(k.integer()), blocksK(k.integer()), linear(k.pointer(DType::f32)), w(k.pointer(DType::f32)),
        packedW(k.pointer(DType::f32)), packedB(k.pointer(DType::f32)), linearCounts(k.pointer(DType::i32)) {}
  Value q, qStrideB, qStrideH, qStrideN, o, oStrideB, oStrideH, oStrideN, lse, lseStrideB, lseStrideH, lseStrideN;
  Value qLengths, kLengths, headsKV, headsPerKV, tokensQ, tokensK, firstPair, packedK, packedV, tilesPerPair;
  Value lists, counts, capacity, superRows, scale, meanK, meanV, meanTilesPerPair;
  Value classes, classStrideB, classStrideH, classStrideI, blocksQ, blocksK, linear, w, packedW, packedB;
  Value linearCounts;
};

/// What a query block attends to at once: packed keys and values, one bias per key in log2 units, and the tile that the
/// list names next, if any.
struct Tile {
  Value keys, values, bias;
  int64_t cols = 0;
  bool weighted = false; ///< the bias is more than 0 and -inf
  Value nextKeys = {}, nextValues = {};
};

class AttendBuilder {
public:
  AttendBuilder(ModuleOp module, const Program &program, const CpuSchedule &schedule)
      : program(program), schedule(schedule), k(module, "attend"), slots(k, program) {}
  void build();

private:
  void locate();
  void prologue();
  void exactLoop();
  void allTiles(Value lastTile);
  void listedTiles(Value lastTile);
  Tile packedTile(Value tile, Value lastTile);
  void visit(Value firstRow, Value seen, Value sub, const Tile &tile);
  Tile meansTile(Value mean, Value sub);
  Value meanBias(Value tile, Value queryBlock);
  void epilogue();
  Value projectedTile(Value row, int64_t rows);
  Value linearTile(Value row, int64_t rows);

  const Program &program;
  const CpuSchedule &schedule;
  KernelBuilder k;
  AttendSlots slots;
  Value zero, g, batch, head, firstToken, validQ, validK, validRows, presentRows;
  Value factor; ///< scale * log2 e: scores in log2 units
  Value queries, acc, max, sum, noBias, tailBias, columnBias;
};
} // namespace

// Where the item lies: pair and head, its first token, its valid rows (before q_len) and present rows (before N).
void AttendBuilder::locate() {
  Value gr = k.item(1);
  zero = k.index(0);
  g = k.div(gr, slots.headsPerKV);
  Value pair = k.add(slots.firstPair, g);
  batch = k.div(pair, slots.headsKV);
  head = k.add(k.mul(k.rem(pair, slots.headsKV), slots.headsPerKV), k.rem(gr, slots.headsPerKV));
  firstToken = k.mul(k.item(0), schedule.superRow);
  validQ = k.tokenCount(slots.qLengths, batch, slots.tokensQ);
  validK = k.tokenCount(slots.kLengths, batch, slots.tokensK);
  Value rows = k.index(schedule.superRow);
  validRows = k.max(k.min(k.sub(validQ, firstToken), rows), zero);
  presentRows = k.min(k.sub(slots.tokensQ, firstToken), rows);
}

// Q in f32, empty accumulators, and the bias rows of whole and of tail tiles.
void AttendBuilder::prologue() {
  int64_t D = program.headDim, paddedD = (D + 15) / 16 * 16;
  queries = k.scratch(schedule.superRow, paddedD);
  acc = k.scratch(schedule.superRow, schedule.valueDim);
  max = k.scratch(schedule.superRow, 1);
  sum = k.scratch(schedule.superRow, 16);
  noBias = k.scratch(1, std::max(schedule.keyTile, meanTile));
  tailBias = k.scratch(1, std::max(schedule.keyTile, meanTile));
  Value offset =
      k.add(k.add(k.mul(batch, slots.qStrideB), k.mul(head, slots.qStrideH)), k.mul(firstToken, slots.qStrideN));
  Value source = k.view(slots.q, offset, D, slots.qStrideN);
  factor = k.scaled(slots.scale, log2e);
  Value cols = paddedD == D ? Value() : k.index(D);
  k.loop(zero, validRows, 1, [&](Value row) { k.store(k.load(source, row, 1, paddedD, {}, {}, cols), queries, row); });
  Value computedRows = k.roundUp(validRows, schedule.rowTile);
  k.loop(validRows, computedRows, 1, [&](Value row) { k.store(k.splat(k.real(0), 1, paddedD), queries, row); });
  k.loop(zero, computedRows, 1, [&](Value row) {
    k.store(k.splat(k.real(0), 1, schedule.valueDim), acc, row);
    k.store(k.splat(k.real(0), 1, 1), max, row);
    k.store(k.splat(k.real(0), 1, 16), sum, row);
  });
  k.store(k.splat(k.real(0), 1, std::max(schedule.keyTile, meanTile)), noBias, zero);
  Value minusInfinity = k.real(-std::numeric_limits<float>::infinity());
  k.store(k.splat(minusInfinity, 1, std::max(schedule.keyTile, meanTile)), tailBias, zero);
  Value inTail = k.sub(validK, k.mul(k.div(k.sub(validK, k.index(1)), k.index(schedule.keyTile)), schedule.keyTile));
  k.store(k.splat(k.real(0), 1, schedule.keyTile), tailBias, zero, {}, {}, inTail);
  if (program.means)
    columnBias = k.scratch(1, meanTile);
}

// One listed tile against one query block: scores, softmax step, P V, four rows at a time. Each of these row tiles
// brings its share of the next listed tile near, which no hardware foresees.
void AttendBuilder::visit(Value firstRow, Value seen, Value sub, const Tile &tile) {
  Value first = k.equal(k.bitAnd(k.shiftRight(seen, sub), k.index(1)), zero);
  Value end = k.min(k.add(firstRow, schedule.blockQ), k.roundUp(validRows, schedule.rowTile));
  int64_t rows = schedule.rowTile, shares = schedule.blockQ / rows;
  int64_t shareK = program.headDim * schedule.keyTile / shares, shareV = schedule.keyTile * schedule.valueDim / shares;
  k.loop(firstRow, end, rows, [&](Value row) {
    Value nextKeys, nextValues;
    if (tile.nextKeys) {
      Value share = k.div(k.sub(row, firstRow), k.index(rows));
      nextKeys = k.subview(tile.nextKeys, zero, k.mul(share, shareK));
      nextValues = k.subview(tile.nextValues, zero, k.mul(share, shareV));
    }
    // The product runs on the queries as given, where a 16-bit product is exact; scale and maximum come after it. A
    // bias of 0 and -inf starts the sum, for nothing; weights come after it, since starting there would round every
    // step at their size.
    Value biasRow = k.load(tile.bias, zero, 1, tile.cols), top = k.load(max, row, rows, 1);
    Value start = tile.weighted ? k.splat(k.real(0), rows, tile.cols) : k.repeatRows(biasRow, rows);
    Value product =
        k.matmul(k.subview(queries, row), tile.keys, start, program.headDim, /*transposed=*/false, nextKeys, shareK);
    SmallVector<Value> inputs{product, top};
    if (tile.weighted)
      inputs.push_back(biasRow);
    Value scores = k.map(inputs, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
      Value shift = tile.weighted ? body.create<arith::SubFOp>(loc, v[2], v[1]).getResult()
                                  : body.create<arith::NegFOp>(loc, v[1]).getResult();
      return body.create<math::FmaOp>(loc, v[0], factor, shift);
    });
    Value p = k.softmaxStep(scores, k.subview(max, row), k.subview(sum, row), k.subview(acc, row), first);
    k.accumulate(p, tile.values, k.subview(acc, row), nextValues, shareV);
  });
}

// log2 n_j where block j is marginal for this query block, -inf elsewhere: n_j exp(s) enters the
// softmax as exp(s + ln n_j).
Value AttendBuilder::meanBias(Value tile, Value queryBlock) {
  Value base = k.add(k.add(k.mul(batch, slots.classStrideB), k.mul(head, slots.classStrideH)),
                     k.mul(queryBlock, slots.classStrideI));
  Value minusInfinity = k.real(-std::numeric_limits<float>::infinity());
  k.store(k.splat(minusInfinity, 1, meanTile), columnBias, zero);
  Value firstBlock = k.mul(tile, meanTile);
  Value end = k.min(k.index(meanTile), k.sub(k.ceilDiv(validK, schedule.blockK), firstBlock));
  k.loop(zero, end, 1, [&](Value column) {
    Value block = k.add(firstBlock, column);
    k.when(k.equal(k.read(slots.classes, k.add(base, block)), zero), [&] {
      Value tokens = k.min(k.index(schedule.blockK), k.sub(validK, k.mul(block, schedule.blockK)));
      Value count = k.raw().create<arith::SIToFPOp>(
          k.location(), k.raw().getF32Type(),
          k.raw().create<arith::IndexCastOp>(k.location(), k.raw().getI32Type(), tokens));
      Value weight = k.map({k.splat(count, 1, 1)}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
        return body.create<math::Log2Op>(loc, v[0]);
      });
      k.store(weight, columnBias, zero, column);
    });
  });
  return columnBias;
}

// Tile `tile` of the item's pair; the last one ends with the valid keys.
Tile AttendBuilder::packedTile(Value tile, Value lastTile) {
  Value at = k.add(k.mul(g, slots.tilesPerPair), tile);
  return {k.view(slots.packedK, k.mul(at, program.headDim * schedule.keyTile), schedule.keyTile),
          k.view(slots.packedV, k.mul(at, schedule.keyTile * schedule.valueDim), schedule.valueDim),
          k.selectView(k.equal(tile, lastTile), tailBias, noBias), schedule.keyTile};
}

// Dense: every tile.
void AttendBuilder::allTiles(Value lastTile) {
  k.loop(zero, k.ceilDiv(validK, schedule.keyTile), 1, [&](Value tile) {
    Tile packed = packedTile(tile, lastTile);
    Value seen = k.select(k.equal(tile, zero), zero, k.index(-1));
    k.loop(zero, k.index(schedule.blocksPerRow()), 1,
           [&](Value sub) { visit(k.mul(sub, schedule.blockQ), seen, sub, packed); });
  });
}

// The tiles that the super row's list names, each for the query blocks in its mask.
void AttendBuilder::listedTiles(Value lastTile) {
  Value list = k.add(k.mul(k.item(1), slots.superRows), k.item(0)), count = k.read(slots.counts, list);
  Value entries = k.mul(k.mul(list, slots.capacity), 2), lastEntry = k.sub(count, k.index(1));
  auto tileOf = [&](Value e) { return k.read(slots.lists, k.add(entries, k.mul(e, 2))); };
  k.loop(zero, count, 1, zero, [&](Value e, ValueRange carried) {
    Value tile = tileOf(e), next = tileOf(k.min(k.add(e, 1), lastEntry));
    Value mask = k.read(slots.lists, k.add(k.add(entries, k.mul(e, 2)), 1));
    k.loop(zero, k.index(schedule.blocksPerRow()), 1, [&](Value sub) {
      k.when(k.notEqual(k.bitAnd(k.shiftRight(mask, sub), k.index(1)), zero), [&] {
        Value firstRow = k.mul(sub, schedule.blockQ);
        auto exact = [&] {
          Tile packed = packedTile(tile, lastTile), ahead = packedTile(k.min(next, lastTile), lastTile);
          packed.nextKeys = ahead.keys;
          packed.nextValues = ahead.values;
          visit(firstRow, carried[0], sub, packed);
        };
        if (!program.means)
          return exact();
        k.when(k.less(tile, k.index(meanTileBit)), exact,
               [&] { visit(firstRow, carried[0], sub, meansTile(k.sub(tile, k.index(meanTileBit)), sub)); });
      });
    });
    return SmallVector<Value>{k.bitOr(carried[0], mask)};
  });
}

// Block means of 64 key blocks, weighted by their tokens.
Tile AttendBuilder::meansTile(Value mean, Value sub) {
  Value at = k.add(k.mul(g, slots.meanTilesPerPair), mean);
  return {k.view(slots.meanK, k.mul(at, program.headDim * meanTile), meanTile),
          k.view(slots.meanV, k.mul(at, meanTile * schedule.valueDim), schedule.valueDim),
          meanBias(mean, k.add(k.mul(k.item(0), schedule.blocksPerRow()), sub)), meanTile, /*weighted=*/true};
}

void AttendBuilder::exactLoop() {
  Value lastTile = k.div(k.sub(validK, k.index(1)), k.index(schedule.keyTile));
  if (program.classified())
    listedTiles(lastTile);
  else
    allTiles(lastTile);
}

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
      k.when(k.raw().create<arith::XOrIOp>(k.location(), k.isNull(slots.lse),
                                           k.raw().create<arith::ConstantIntOp>(k.location(), 1, 1)),
             [&] {
               Value minusInfinity = k.real(-std::numeric_limits<float>::infinity()), high = k.real(ln2),
                     low = k.real(ln2 - static_cast<float>(ln2));
               Value value =
                   k.map({k.load(max, row, rows, 1), total}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
                     // (max + log2 sum) ln 2 with ln 2 in two floats
                     Value rest = body.create<math::FmaOp>(
                         loc, v[0], low, body.create<arith::MulFOp>(loc, body.create<math::Log2Op>(loc, v[1]), high));
                     Value natural = body.create<math::FmaOp>(loc, v[0], high, rest);
                     Value live = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::UNE, v[1], null);
                     return body.create<arith::SelectOp>(loc, live, natural, minusInfinity);
                   });
               Value lseOffset = k.add(k.add(k.mul(batch, slots.lseStrideB), k.mul(head, slots.lseStrideH)),
                                       k.mul(firstToken, slots.lseStrideN));
               k.store(value, k.view(slots.lse, lseOffset, 1, slots.lseStrideN), row, {}, left);
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
      k.when(k.raw().create<arith::XOrIOp>(k.location(), k.isNull(slots.lse),
                                           k.raw().create<arith::ConstantIntOp>(k.location(), 1, 1)),
             [&] {
               Value lseOffset = k.add(k.add(k.mul(batch, slots.lseStrideB), k.mul(head, slots.lseStrideH)),
                                       k.mul(firstToken, slots.lseStrideN));
               k.store(k.splat(k.real(-std::numeric_limits<float>::infinity()), 1, 1),
                       k.view(slots.lse, lseOffset, 1, slots.lseStrideN), row);
             });
  });
}

void AttendBuilder::build() {
  locate();
  if (program.exact) {
    prologue();
    k.when(k.less(zero, k.min(validRows, validK)), [&] { exactLoop(); });
  }
  epilogue();
  k.end();
}

void compiler::buildAttend(ModuleOp module, const Program &program, const CpuSchedule &schedule) {
  AttendBuilder(module, program, schedule).build();
}
