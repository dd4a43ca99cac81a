// pool_queries: the mean of each query block over its valid rows, summed in row order. Contract: Builtins.h.
#include "BuiltinTable.h"
#include "Dispatch.h"
#include "GroupHead.h"
#include "RowSums.h"

#include "tercet/Builtins.h"

namespace tercet::rt {
namespace {

template <typename Element> struct MeanOfRows {
  [[gnu::always_inline]] static inline void run(const void *data, int64_t stride, int64_t rows, int64_t dim,
                                                float *mean) {
    meanOfRows<Element>(static_cast<const typename Element::Type *>(data), stride, rows, dim, mean);
  }
};

void run(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const PoolQueriesSlots *>(call.slots);
  GroupHead head = groupHead(call.item1, s.firstPair, s.headsKV, s.headsPerKV);
  int64_t first = call.item0 * s.blockQ;
  int64_t rows = std::clamp<int64_t>(liveTokens(s.qLengths, head.batch, s.tokens) - first, 0, s.blockQ);
  float *mean = s.meanQ + (call.item1 * s.blocksQ + call.item0) * s.headDim;
  withElement(static_cast<DType>(s.dtype), [&](auto element) {
    using Element = decltype(element);
    const auto *q = static_cast<const typename Element::Type *>(s.q) + head.batch * s.qStrideB +
                    head.queryHead * s.qStrideH + first * s.qStrideN;
    Dispatch<MeanOfRows<Element>, const void *, int64_t, int64_t, int64_t, float *>::call(q, s.qStrideN, rows,
                                                                                          s.headDim, mean);
  });
}

} // namespace

const Builtin poolQueriesBuiltin = {"pool_queries", sizeof(PoolQueriesSlots) / 8, 0, run, nullptr, nullptr};

} // namespace tercet::rt
