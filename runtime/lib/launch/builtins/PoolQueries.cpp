// pool_queries: the mean of each query block over its valid rows, summed in row order. Contract: Builtins.h.
#include "BuiltinTable.h"
#include "Dispatch.h"
#include "GroupHead.h"
#include "RowSums.h"

#include "tercet/Builtins.h"

namespace tercet::rt {
namespace {

template <typename Element> struct MeanOfRows {
  [[gnu::always_inline]] static inline void run(TokenRows<typename Element::Type> source, int64_t rows, int64_t dim,
                                                float *mean) {
    meanOfRows<Element>(source, rows, dim, mean);
  }
};

void run(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const PoolQueriesSlots *>(call.slots);
  GroupHead head = groupHead(call.item1, s.firstPair, s.headsKV, s.headsPerKV);
  int64_t live = liveTokens(s.qLengths, head.batch, s.tokens);
  int64_t rows = tokensOfBlock(ofBatch(s.counts, head.batch, s.blocksQ), call.item0, s.blockQ, live);
  float *mean = s.meanQ + (call.item1 * s.blocksQ + call.item0) * s.headDim;
  withElement(static_cast<DType>(s.dtype), [&](auto element) {
    using Element = decltype(element);
    using Rows = TokenRows<typename Element::Type>;
    const auto *q =
        static_cast<const typename Element::Type *>(s.q) + head.batch * s.qStrideB + head.queryHead * s.qStrideH;
    Dispatch<MeanOfRows<Element>, Rows, int64_t, int64_t, float *>::call(
        Rows{q, s.qStrideN, ofBatch(s.order, head.batch, s.tokens)}.from(call.item0 * s.blockQ), rows, s.headDim, mean);
  });
}

} // namespace

const Builtin poolQueriesBuiltin = {"pool_queries", sizeof(PoolQueriesSlots) / 8, 0, run, nullptr, nullptr};

} // namespace tercet::rt
