// seen_pools: which pools of keys a query is scored by, a bit each. The region is bounded over the 32 pools of a word first, and looked
// at pool by pool where that leaves it open.
#include "CpuKernels.h"
#include "CpuPairScope.h"
#include "PairIntervals.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

// The bits of pools from `first` to before `end`.
static Value bitsOfPools(KernelBuilder &k, const PairRegion &region, Value query, Value first, Value end) {
  Value zero = k.index(0);
  return k.loop(first, end, 1, {zero, k.index(1)}, [&](Value pool, ValueRange so) -> SmallVector<Value> {
    PairRegion copy = region;
    copy.bind(2, k.narrow(query));
    copy.bind(3, k.narrow(pool));
    Value sees = copy.make(k.raw(), copy.yielded());
    return {k.bitOr(so[0], k.select(sees, so[1], zero)), k.mul(so[1], 2)};
  })[0];
}

void compiler::buildSeenPools(ModuleOp module, const Program &program) {
  const CompressedScores &scores = program.selection->compressed;
  KernelBuilder k(module, "seen_pools");
  Value seen = k.pointer(DType::i32), qLengths = k.pointer(DType::i32), kLengths = k.pointer(DType::i32);
  Value headsKV = k.integer(), headsPerKV = k.integer(), tokensQ = k.integer(), tokensK = k.integer(),
        firstPair = k.integer();
  CpuPairScope scope(k, pairOperandsOf({scores.where}));
  Value gr = k.item(1), pair = k.add(firstPair, k.div(gr, headsPerKV)), batch = k.div(pair, headsKV);
  Value head = k.add(k.mul(k.rem(pair, headsKV), headsPerKV), k.rem(gr, headsPerKV));
  scope.headsKV = headsKV;
  scope.headsPerKV = headsPerKV;
  scope.validQ = k.tokenCount(qLengths, batch, tokensQ);
  scope.validK = k.tokenCount(kLengths, batch, tokensK);
  PairRegion region(*scores.where, scope);
  region.bind(0, k.narrow(batch));
  region.bind(1, k.narrow(head));
  region.clone(k.raw());

  constexpr int64_t wordBits = 32;
  Value zero = k.index(0), pools = k.ceilDiv(scope.validK, scores.stride);
  Value words = k.ceilDiv(k.ceilDiv(tokensK, scores.stride), wordBits);
  Value first = k.mul(k.item(0), seenRows), end = k.min(k.add(first, seenRows), scope.validQ);
  k.loop(first, end, 1, [&](Value query) {
    Value row = k.mul(k.add(k.mul(gr, tokensQ), query), words);
    k.loop(zero, k.ceilDiv(pools, wordBits), 1, [&](Value word) {
      Value firstPool = k.mul(word, wordBits), endPool = k.min(k.add(firstPool, wordBits), pools);
      PairIntervals intervals(k.raw(), region, [](ir::ReadOp, ArrayRef<Bounds>) { return std::nullopt; });
      intervals.bind(2, query, query);
      intervals.bind(3, firstPool, k.sub(endPool, k.index(1)));
      Bounds sees = intervals.result();
      Value bits = k.choose(
          k.raw().getIndexType(), k.bitOr(sees.low, k.negate(sees.high)),
          [&] { return k.select(sees.low, k.index(-1), zero); },
          [&] { return bitsOfPools(k, region, query, firstPool, endPool); });
      k.write(bits, seen, k.add(row, word));
    });
  });
  k.end();
}
