// The kernel seen_pools: which pools of keys a query is scored by, a bit each. A thread has a pool and goes through some queries; a warp
// votes the word of its 32 pools.
#include "GpuPairScope.h"
#include "SelectStages.h"

using namespace mlir;

namespace tercet::compiler {

OwningOpRef<ModuleOp> lowerSeenPools(MLIRContext &context, const GpuProgram &program) {
  const CompressedScores &scores = program.selection.compressed;
  StageKernel kernel(context, program, "seen_pools", {"run", "part", "member"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  GpuPairScope scope(b);
  Type i32 = b.builder.getI32Type(), index = b.builder.getIndexType();
  Value queryLengths = b.pointer(i32, "q_len", "q_len"), keyLengths = b.pointer(i32, "k_len", "k_len");
  Value rows = b.size("rows", "N"), keys = b.size("keys", "M");
  HeadPlace place = b.placeHead(b.item(2));
  scope.liveRows = b.liveTokens("live_rows", queryLengths, place.batch, rows);
  scope.liveKeys = b.liveTokens("live_keys", keyLengths, place.batch, keys);
  Value seen = b.pointer(i32, "seen", "@seen");
  PairRegion region(*scores.where, scope);
  region.bind(0, scope.narrow("batch_index", place.batch));
  region.bind(1, scope.narrow("head_index", place.head));
  Value thread = b.compute("thread", index, "thread_index", "thread", {}, {});
  Value pool = b.add("pool", b.mul("first_pool", b.item(1), b.constant(stageThreads)), thread);
  region.bind(3, scope.narrow("pool_index", pool));
  region.clone(b.builder);
  Value pools = b.pooled("pools", keys, scores.stride);
  Value first = b.mul("first_query", b.item(0), b.constant(seenQueries, "queries_of_run"));
  Value none = b.constant(int64_t{0}), left = b.sub("left", scope.liveRows, first);
  Value count = b.make<arith::MinSIOp>("count", b.make<arith::MaxSIOp>("more", left, none),
                                       b.constant(seenQueries, "queries_of_run"));
  b.loop("query_of_run", count, [&](Value number) {
    Value query = b.add("query", first, number);
    PairRegion ofQuery = region;
    ofQuery.bind(2, scope.narrow("query_index", query));
    ofQuery.clone(b.builder);
    Value row = b.add("row", b.mul("rows_of_heads", b.item(2), rows), query);
    b.call("store_seen", "compressed_scores", {}, {seen, row, pools, pool, ofQuery.result()});
  });
  return kernel.finish(0);
}

} // namespace tercet::compiler
