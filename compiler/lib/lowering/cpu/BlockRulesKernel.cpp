// block_rules: what masks and block sets say of every block of a row. Sets are evaluated as they are. A mask is first
// bounded over the block; where bounds leave it open, its pairs are looked at, row by row until one is allowed and one
// forbidden. Small query blocks are bounded as a run first, and one by one where that leaves it open.
#include "BlockTokens.h"
#include "CpuKernels.h"
#include "TableRanges.h"

#include "tercet/Builtins.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

namespace {

class BlockRulesBuilder {
public:
  BlockRulesBuilder(ModuleOp module, const Program &program, const CpuSchedule &schedule)
      : selection(*program.selection), schedule(schedule), k(module, "block_rules"), rules(k.pointer(DType::i8)),
        qLengths(k.pointer(DType::i32)), kLengths(k.pointer(DType::i32)), headsKV(k.integer()), headsPerKV(k.integer()),
        tokensQ(k.integer()), tokensK(k.integer()), firstPair(k.integer()), blocksQ(k.integer()), blocksK(k.integer()),
        queriesAt(k, program), keysAt(k, program), scope(k, selection.pairOperands()),
        ranges(k, scope, selection.maskRegion()) {}
  void build();

private:
  PairRegion start(Region &region);
  Value maskRule(const PairRegion &mask, Value firstKey, Value endKey, function_ref<Value()> open);
  void decide(const PairRegion *mask, Value keyBlock, Value known = {});
  void placeBlock(Value block);
  void decideRun(const PairRegion *mask, Value keyBlock);
  Value lookAtPairs(const PairRegion &mask, Value firstKey, Value endKey);
  Value lookAtRow(const PairRegion &mask, Value query, Value firstKey, Value endKey, Value seen);
  Value setRule(const PairRegion &set, Value keyBlock, int64_t bit);

  const Selection &selection;
  const CpuSchedule &schedule;
  KernelBuilder k;
  Value rules, qLengths, kLengths, headsKV, headsPerKV, tokensQ, tokensK, firstPair, blocksQ, blocksK;
  BlockTokens queriesAt, keysAt;
  CpuPairScope scope;
  TableRanges ranges;
  SmallVector<std::pair<PairRegion, int64_t>> sets;
  Value batch, head, queryBlock, firstQuery, endQuery;
  Value row; ///< the first rule of the query block
};

} // namespace

// A region of which what depends on batch and head alone is computed.
PairRegion BlockRulesBuilder::start(Region &region) {
  PairRegion pairs(region, scope);
  pairs.bind(0, k.narrow(batch));
  pairs.bind(1, k.narrow(head));
  pairs.clone(k.raw());
  return pairs;
}

// Rows from firstQuery to before endQuery against keys from firstKey to before endKey, neither of which is empty; what `open` makes
// where bounds do not decide.
Value BlockRulesBuilder::maskRule(const PairRegion &mask, Value firstKey, Value endKey, function_ref<Value()> open) {
  PairIntervals intervals(k.raw(), mask, [&](ir::ReadOp op, ArrayRef<Bounds> at) { return ranges.read(op, at); });
  Value one = k.index(1);
  intervals.bind(2, queriesAt.token(firstQuery), queriesAt.token(k.sub(endQuery, one)));
  intervals.bind(3, keysAt.token(firstKey), keysAt.token(k.sub(endKey, one)));
  Bounds allowed = intervals.result();
  Value decided = k.bitOr(allowed.low, k.negate(allowed.high));
  return k.choose(
      k.raw().getIndexType(), decided, [&] { return k.select(allowed.low, k.index(0), k.index(emptyRule)); }, open);
}

// Seen: 1 once a pair was allowed, plus 2 once one was forbidden.
Value BlockRulesBuilder::lookAtPairs(const PairRegion &mask, Value firstKey, Value endKey) {
  Value all = k.index(3);
  Value seen = k.loop(firstQuery, endQuery, 1, k.index(0), [&](Value query, ValueRange so) -> SmallVector<Value> {
    return {k.choose(
        k.raw().getIndexType(), k.equal(so[0], all), [&] { return all; },
        [&] { return lookAtRow(mask, queriesAt.token(query), firstKey, endKey, so[0]); })};
  })[0];
  Value onlyForbidden = k.select(k.equal(seen, k.index(2)), k.index(emptyRule), k.index(0));
  return k.select(k.equal(seen, all), k.index(partialRule), onlyForbidden);
}

Value BlockRulesBuilder::lookAtRow(const PairRegion &mask, Value query, Value firstKey, Value endKey, Value seen) {
  Value keyEnd = k.narrow(endKey), empty = k.splat(k.real(0), 1, schedule.keyTile);
  Value some = k.real(1), none = k.real(-1), outside = k.real(0);
  return k.loop(firstKey, endKey, schedule.keyTile, seen, [&](Value key, ValueRange so) -> SmallVector<Value> {
    SmallVector<Value> positions;
    if (keysAt.ordered())
      positions.push_back(keysAt.positions(key, 1, schedule.keyTile));
    Value verdicts =
        k.mapPairs(empty, query, key, positions, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
          PairRegion copy = mask;
          copy.bind(2, v[1]);
          copy.bind(3, keysAt.ordered() ? BlockTokens::position(body, loc, v[3]) : v[2]);
          Value allowed = copy.make(body, copy.yielded());
          Value verdict = body.create<arith::SelectOp>(loc, allowed, some, none);
          Value valid = body.create<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, v[2], keyEnd);
          return body.create<arith::SelectOp>(loc, valid, verdict, outside);
        });
    Value opposite = k.map({verdicts}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
      return body.create<arith::NegFOp>(loc, v[0]);
    });
    Value allowed = k.select(k.any(verdicts), k.index(1), k.index(0));
    Value forbidden = k.select(k.any(opposite), k.index(2), k.index(0));
    return {k.bitOr(so[0], k.bitOr(allowed, forbidden))};
  })[0];
}

Value BlockRulesBuilder::setRule(const PairRegion &set, Value keyBlock, int64_t bit) {
  PairRegion copy = set;
  copy.bind(2, k.narrow(queryBlock));
  copy.bind(3, k.narrow(keyBlock));
  Value member = copy.make(k.raw(), copy.yielded());
  return k.select(member, k.index(bit), k.index(0));
}

// The rule of the query block's valid rows and a key block. known: what the mask's rule is, below 0 where that is open; null: it is.
void BlockRulesBuilder::decide(const PairRegion *mask, Value keyBlock, Value known) {
  Value firstKey = k.mul(keyBlock, schedule.blockK),
        endKey = k.add(firstKey, keysAt.count(keyBlock, schedule.blockK, scope.validK));
  auto write = [&] {
    auto look = [&] { return lookAtPairs(*mask, firstKey, endKey); };
    auto ofMask = [&] { return maskRule(*mask, firstKey, endKey, look); };
    Value rule = mask && !known ? ofMask() : k.index(0);
    if (known)
      rule = k.choose(k.raw().getIndexType(), k.less(known, k.index(0)), ofMask, [&] { return known; });
    for (const auto &[set, bit] : sets)
      rule = k.bitOr(rule, setRule(set, keyBlock, bit));
    k.write(rule, rules, k.add(row, keyBlock));
  };
  if (keysAt.ordered()) // those behind the length have no token
    k.when(k.less(firstKey, endKey), write);
  else
    write();
}

void BlockRulesBuilder::placeBlock(Value block) {
  queryBlock = block;
  firstQuery = k.mul(block, schedule.blockQ);
  endQuery = k.add(firstQuery, queriesAt.count(block, schedule.blockQ, scope.validQ));
}

// The small query blocks of an item, first all together.
void BlockRulesBuilder::decideRun(const PairRegion *mask, Value keyBlock) {
  Value firstBlock = k.mul(k.item(0), schedule.blocksPerRuleItem()), known;
  Value end = k.min(k.add(firstBlock, schedule.blocksPerRuleItem()), k.ceilDiv(scope.validQ, schedule.blockQ));
  if (mask) {
    firstQuery = k.mul(firstBlock, schedule.blockQ);
    endQuery = k.min(k.mul(end, schedule.blockQ), scope.validQ);
    Value firstKey = k.mul(keyBlock, schedule.blockK);
    Value endKey = k.add(firstKey, keysAt.count(keyBlock, schedule.blockK, scope.validK));
    known = maskRule(*mask, firstKey, endKey, [&] { return k.index(-1); });
  }
  k.loop(firstBlock, end, 1, [&](Value block) {
    placeBlock(block);
    row = k.mul(k.add(k.mul(k.item(1), blocksQ), block), blocksK);
    decide(mask, keyBlock, known);
  });
}

void BlockRulesBuilder::build() {
  Value gr = k.item(1), zero = k.index(0), pair = k.add(firstPair, k.div(gr, headsPerKV));
  batch = k.div(pair, headsKV);
  head = k.add(k.mul(k.rem(pair, headsKV), headsPerKV), k.rem(gr, headsPerKV));
  scope.headsKV = headsKV;
  scope.headsPerKV = headsPerKV;
  queriesAt.startBatch(batch);
  keysAt.startBatch(batch);
  scope.validQ = k.tokenCount(qLengths, batch, tokensQ);
  scope.validK = k.tokenCount(kLengths, batch, tokensK);
  bool inRuns = schedule.blocksPerRuleItem() > 1;
  if (!inRuns)
    placeBlock(k.item(0));
  std::optional<PairRegion> mask;
  if (Region *region = selection.maskRegion())
    mask.emplace(start(*region));
  for (auto [set, bit] : {std::pair{selection.forced, forcedRule}, {selection.forbidden, forbiddenRule}})
    if (ir::BlockSetOp op = set)
      sets.emplace_back(start(op.getBody()), bit);

  Value keyBlocks = keysAt.ordered() ? blocksK : k.ceilDiv(scope.validK, schedule.blockK);
  const PairRegion *ofMask = mask ? &*mask : nullptr;
  if (inRuns) {
    Value isLive = k.less(k.mul(k.item(0), schedule.blocksPerRuleItem() * schedule.blockQ), scope.validQ);
    k.loop(zero, k.select(isLive, keyBlocks, zero), 1, [&](Value block) { decideRun(ofMask, block); });
  } else {
    Value liveBlocks = k.select(k.less(firstQuery, endQuery), keyBlocks, zero);
    row = k.mul(k.add(k.mul(gr, blocksQ), k.item(0)), blocksK);
    k.loop(zero, liveBlocks, 1, [&](Value block) { decide(ofMask, block); });
  }
  k.end();
}
void compiler::buildBlockRules(ModuleOp module, const Program &program, const CpuSchedule &schedule) {
  BlockRulesBuilder(module, program, schedule).build();
}
