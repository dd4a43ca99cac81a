// Matrix products on the CPU: a register block of rows x vectors of accumulators, one broadcast per row and one load
// per vector in each step over the depth (docs/decisions/0007-register-tiles.md).
#include "KernelLowering.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::codegen;

/// Rows of a register block: with 16 registers 6 x 2 vectors, the shape that keeps both multipliers busy
/// (bench/results/zen3.md).
static int64_t tallestBlock(const CpuTarget &target) { return target.registers == 32 ? 16 : 6; }

/// Vectors per row of a register block: what fits beside one broadcast and the row of B, with one register to spare for
/// the allocator (4 x 3 of 16 registers would fit to the last one, but LLVM then spills accumulators in the loop).
static int64_t widestBlock(const CpuTarget &target, int64_t rows) {
  return std::max<int64_t>(1, (target.registers - 2) / (rows + 1));
}

/// Splits `count` vectors or rows into the fewest blocks of at most `most`, as even as can be.
static SmallVector<int64_t> evenBlocks(int64_t count, int64_t most) {
  int64_t blocks = (count + most - 1) / most;
  SmallVector<int64_t> sizes;
  for (int64_t i = 0; i < blocks; ++i)
    sizes.push_back(count / blocks + (i < count % blocks));
  return sizes;
}

KernelLowering::Ahead KernelLowering::aheadOf(Value view, std::optional<uint64_t> elements, int64_t steps) {
  return view ? Ahead{views.lookup(view).base, (static_cast<int64_t>(*elements) + steps - 1) / steps} : Ahead();
}

KernelLowering::Ahead KernelLowering::after(const Ahead &ahead, int64_t steps) {
  return ahead.from ? Ahead{element(ahead.from, i64(steps * ahead.perStep), b.getF32Type()), ahead.perStep} : Ahead();
}

// Into L2, for reading.
void KernelLowering::request(const Ahead &ahead, Value step) {
  constexpr int64_t line = 16;
  Value from = element(ahead.from, mul(step, i64(ahead.perStep)), b.getF32Type());
  for (int64_t i = 0; i < ahead.perStep; i += line)
    b.create<LLVM::Prefetch>(loc, element(from, i64(i), b.getF32Type()), /*rw=*/0, /*hint=*/2, /*cache=*/1);
}

// accumulators[r * vectors + c] += A[row0 + r, :] B[:, col0 + c * lanes ..]
void KernelLowering::product(const Address &a, bool transposed, const Address &bMatrix, int64_t depth, int64_t row0,
                             int64_t rows, int64_t col0, int64_t vectors, MutableArrayRef<Value> accumulators,
                             const Ahead &ahead) {
  Type f32 = b.getF32Type();
  SmallVector<Value> rowBase;
  for (int64_t r = 0; r < rows; ++r)
    rowBase.push_back(transposed ? at(a, 0, row0 + r, f32) : at(a, row0 + r, 0, f32));
  Value colBase = at(bMatrix, 0, col0, f32);
  auto loop = b.create<scf::ForOp>(loc, i64(0), i64(depth), i64(1), ValueRange(accumulators));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(loop.getBody());
  Value k = loop.getInductionVar();
  if (ahead.from)
    request(ahead, k);
  Value bRow = element(colBase, mul(k, bMatrix.stride), f32);
  Value aIndex = transposed ? mul(k, a.stride) : k;
  SmallVector<Value> sums(loop.getRegionIterArgs()), row;
  for (int64_t c = 0; c < vectors; ++c)
    row.push_back(loadVector(at({bRow, bMatrix.stride}, 0, c * target.lanes, f32), f32, target.lanes));
  for (int64_t r = 0; r < rows; ++r) {
    Value factor = broadcast(b.create<LLVM::LoadOp>(loc, f32, element(rowBase[r], aIndex, f32)), target.lanes);
    for (int64_t c = 0; c < vectors; ++c)
      sums[r * vectors + c] = fma(factor, row[c], sums[r * vectors + c]);
  }
  b.create<scf::YieldOp>(loc, sums);
  for (auto [index, value] : llvm::enumerate(loop.getResults()))
    accumulators[index] = value;
}

void KernelLowering::lower(tkern::MatmulOp op) {
  tkern::TileType tile = op.getInit().getType();
  Address a = views.lookup(op.getA()), bMatrix = views.lookup(op.getB());
  Vectors result = tiles.find(op.getInit())->second;
  SmallVector<int64_t> rowBlocks = evenBlocks(tile.getRows(), tallestBlock(target));
  int64_t perRow = tile.getCols() / target.lanes, depth = op.getDepth(),
          parts = evenBlocks(perRow, widestBlock(target, rowBlocks.front())).size();
  Ahead ahead = aheadOf(op.getAhead(), op.getElements(), depth * parts * static_cast<int64_t>(rowBlocks.size()));
  int64_t row = 0;
  for (int64_t rows : rowBlocks) {
    int64_t first = 0;
    for (int64_t vectors : evenBlocks(perRow, widestBlock(target, rows))) {
      SmallVector<Value> block;
      for (int64_t r = 0; r < rows; ++r)
        block.append(result.begin() + (row + r) * perRow + first,
                     result.begin() + (row + r) * perRow + first + vectors);
      product(a, op.getTransposed(), bMatrix, depth, row, rows, first * target.lanes, vectors, block, ahead);
      ahead = after(ahead, depth);
      for (int64_t r = 0; r < rows; ++r)
        std::copy_n(block.begin() + r * vectors, vectors, result.begin() + (row + r) * perRow + first);
      first += vectors;
    }
    row += rows;
  }
  tiles[op.getResult()] = std::move(result);
}

// P goes through a small buffer, so that its elements can be broadcast from memory.
void KernelLowering::lower(tkern::AccumulateOp op) {
  tkern::TileType p = op.getP().getType();
  int64_t cols = op.getAcc().getType().getCols(), perRow = p.getCols() / target.lanes;
  Type f32 = b.getF32Type();
  Address buffer{allocate(p.getRows() * p.getCols() * 4), i64(p.getCols())};
  const Vectors &vectorsOfP = tiles.find(op.getP())->second;
  for (int64_t r = 0; r < p.getRows(); ++r)
    for (int64_t c = 0; c < perRow; ++c)
      storeVector(vectorsOfP[r * perRow + c], at(buffer, r, c * target.lanes, f32), f32);

  Address bMatrix = views.lookup(op.getB()), acc = views.lookup(op.getAcc());
  SmallVector<int64_t> blocks = evenBlocks(cols / target.lanes, widestBlock(target, p.getRows()));
  Ahead ahead = aheadOf(op.getAhead(), op.getElements(), p.getCols() * static_cast<int64_t>(blocks.size()));
  int64_t first = 0;
  for (int64_t vectors : blocks) {
    SmallVector<Value> block;
    auto place = [&](int64_t r, int64_t c) { return at(acc, r, (first + c) * target.lanes, f32); };
    for (int64_t r = 0; r < p.getRows(); ++r)
      for (int64_t c = 0; c < vectors; ++c)
        block.push_back(loadVector(place(r, c), f32, target.lanes));
    product(buffer, /*transposed=*/false, bMatrix, p.getCols(), 0, p.getRows(), first * target.lanes, vectors, block,
            ahead);
    ahead = after(ahead, p.getCols());
    for (int64_t r = 0; r < p.getRows(); ++r)
      for (int64_t c = 0; c < vectors; ++c)
        storeVector(block[r * vectors + c], place(r, c), f32);
    first += vectors;
  }
}
