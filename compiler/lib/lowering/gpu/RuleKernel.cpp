// The kernel block_rules: what a mask and block sets say of every pair of blocks, before selection. A thread per key
// block of one query block, a warp together where the pairs of a block have to be looked at.
#include "GpuRanges.h"
#include "StageKernel.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

class RuleKernel {
public:
  RuleKernel(MLIRContext &context, const GpuProgram &program)
      : kernel(context, program, "block_rules",
               program.isFine() ? ArrayRef<StringRef>{"query_block", "part", "member"}
                                : ArrayRef<StringRef>{"part", "query_block", "member"},
               stageThreads),
        b(kernel.b), program(program), scope(b), part(b.item(program.isFine() ? 1 : 0)),
        queryBlock(b.item(program.isFine() ? 0 : 1)) {}

  OwningOpRef<ModuleOp> build() {
    place();
    Value always = b.make<arith::ConstantOp>("", b.builder.getBoolAttr(true));
    Value never = b.make<arith::ConstantOp>("", b.builder.getBoolAttr(false));
    Value allows = always, forbids = never;
    if (program.selection.mask)
      std::tie(allows, forbids) = vote();
    Value forced = program.selection.forced ? member(program.selection.forced) : never;
    Value forbidden = program.selection.forbidden ? member(program.selection.forbidden) : never;
    Value inside = b.make<arith::CmpIOp>("inside", arith::CmpIPredicate::slt, keyBlock, keyBlocks);
    Value row = b.add("rules_row", b.mul("rules_of_head", b.item(2), queryBlocks), queryBlock);
    Value at = b.add("at", b.mul("rules_of_row", row, keyBlocks), keyBlock);
    Value rules = b.pointer(b.builder.getI8Type(), "rules", "@rules");
    b.when(inside, [&] { b.call("store_rule", "block_rules", {}, {rules, at, allows, forbids, forced, forbidden}); });
    return kernel.finish(0);
  }

private:
  void place() {
    Type i32 = b.builder.getI32Type(), index = b.builder.getIndexType();
    Value queryLengths = b.pointer(i32, "q_len", "q_len"), keyLengths = b.pointer(i32, "k_len", "k_len");
    Value rows = b.size("rows", "N"), keys = b.size("keys", "M");
    HeadPlace at = b.placeHead(b.item(2));
    if (program.order) { // extents count tokens, sizes places
      scope.startOrder(at.batch, rows, keys);
    } else {
      scope.liveRows = b.compute("live_rows", index, "live_tokens", "group", {}, {queryLengths, at.batch, rows});
      scope.liveKeys = b.compute("live_keys", index, "live_tokens", "group", {}, {keyLengths, at.batch, keys});
    }
    batch = scope.narrow("batch_index", at.batch);
    head = scope.narrow("head_index", at.head);
    Value blockQ = b.constant(program.blockQ, "block_q"), blockK = b.constant(program.blockK, "block_k");
    queryBlocks = b.make<arith::CeilDivUIOp>("query_blocks", rows, blockQ);
    keyBlocks = b.make<arith::CeilDivUIOp>("key_blocks", keys, blockK);
    Value thread = b.compute("thread", index, "thread_index", "thread", {}, {});
    keyBlock = b.add("key_block", b.mul("first_key_block", part, b.constant(stageThreads)), thread);
    row = b.mul("row", queryBlock, blockQ);
    col = b.mul("col", keyBlock, blockK);
  }

  // The place behind the last token of a block.
  Value endOf(Value block, Value first, bool isKey) {
    StringRef name = isKey ? "col_end" : "row_end";
    if (!program.order) {
      Value size = b.constant(isKey ? program.blockK : program.blockQ, isKey ? "block_k" : "block_q");
      return b.make<arith::MinSIOp>(name, b.add(isKey ? "next_col" : "next_row", first, size),
                                    isKey ? scope.liveKeys : scope.liveRows);
    }
    Value narrow = scope.narrow(isKey ? "block_of_keys" : "block_of_queries", block);
    Value count = scope.orderEntry("tokens", isKey ? "counts_k" : "counts_q", narrow, isKey ? keyBlocks : queryBlocks);
    return b.add(name, first, b.make<arith::IndexCastOp>("tokens_of_block", b.builder.getIndexType(), count));
  }

  // The positions of the tokens that a block begins and ends with. `end` is the place behind the last.
  Bounds positions(Value first, Value end, bool isKey) {
    StringRef name = isKey ? "last_col" : "last_row";
    Value last = b.sub(name, end, b.constant(int64_t{1}));
    if (!program.order)
      return {first, last};
    auto at = [&](Value place) {
      Value position = scope.position(scope.narrow("place", place), isKey);
      return b.make<arith::IndexCastOp>("position", b.builder.getIndexType(), position);
    };
    return {at(first), at(last)};
  }

  // Whether the mask allows a pair of the thread's block, and whether it forbids one. A block without pairs does neither.
  std::pair<Value, Value> vote() {
    Value rowEnd = endOf(queryBlock, row, /*isKey=*/false), colEnd = endOf(keyBlock, col, /*isKey=*/true);
    PairRegion mask(*program.selection.maskRegion(), scope);
    mask.bind(0, batch);
    mask.bind(1, head);
    mask.clone(b.builder);
    PairIntervals intervals(b.builder, mask, [&](ir::ReadOp read, ArrayRef<Bounds> indices) {
      return readRange(scope, program, read, indices);
    });
    Bounds queries = positions(row, rowEnd, /*isKey=*/false), keys = positions(col, colEnd, /*isKey=*/true);
    intervals.bind(2, queries.low, queries.high);
    intervals.bind(3, keys.low, keys.high);
    Bounds allowed = intervals.result();
    Value hasRows = b.make<arith::CmpIOp>("has_rows", arith::CmpIPredicate::slt, row, rowEnd);
    Value hasCols = b.make<arith::CmpIOp>("has_cols", arith::CmpIPredicate::slt, col, colEnd);
    Value live = b.make<arith::AndIOp>("live", hasRows, hasCols);
    Value all = b.make<arith::ConstantOp>("", b.builder.getBoolAttr(true));
    Value mayAllow = b.make<arith::AndIOp>("may_allow", live, allowed.high);
    Value some = b.make<arith::XOrIOp>("not_all", allowed.low, all);
    Value mayForbid = b.make<arith::AndIOp>("may_forbid", live, some);
    Type i1 = b.builder.getI1Type();
    auto votes = b.make<tkern::VotePairsOp>("", i1, i1, mayAllow, mayForbid, row, rowEnd, col, colEnd);
    Block &body = votes.getMask().emplaceBlock();
    Type i32 = b.builder.getI32Type();
    Value i = body.addArgument(i32, b.at("i")), j = body.addArgument(i32, b.at("j"));
    OpBuilder::InsertionGuard guard(b.builder);
    b.builder.setInsertionPointToEnd(&body);
    mask.bind(2, scope.position(i, /*isKey=*/false));
    mask.bind(3, scope.position(j, /*isKey=*/true));
    mask.clone(b.builder);
    b.make<tkern::AnswerOp>("", mask.result());
    return {votes.getAllows(), votes.getForbids()};
  }

  // Whether the thread's block is in a set.
  Value member(ir::BlockSetOp set) {
    PairRegion region(set.getBody(), scope);
    region.bind(0, batch);
    region.bind(1, head);
    region.bind(2, scope.narrow("query_block_index", queryBlock));
    region.bind(3, scope.narrow("key_block_index", keyBlock));
    region.clone(b.builder);
    return region.result();
  }

  StageKernel kernel;
  GpuKernelBuilder &b;
  const GpuProgram &program;
  GpuPairScope scope;
  Value part, queryBlock; ///< items
  Value batch, head;      ///< i32
  Value queryBlocks, keyBlocks, keyBlock, row, col;
};

} // namespace

OwningOpRef<ModuleOp> lowerBlockRules(MLIRContext &context, const GpuProgram &program) {
  return RuleKernel(context, program).build();
}

} // namespace tercet::compiler
