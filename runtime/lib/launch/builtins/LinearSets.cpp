// linear_sets and linear_used: what the linear set of each query block holds. Contract: Builtins.h.
#include "BuiltinTable.h"
#include "GroupHead.h"

#include "tercet/Builtins.h"
#include "tercet/Status.h"

namespace tercet::rt {
namespace {

enum class Over : int64_t { marginal, nonCritical, all, negligible };

/// A row of classes, and of rule bytes where the spec has a mask.
struct Row {
  const int8_t *classes;
  const uint8_t *rules;
  Over over;

  bool has(int64_t j) const {
    if (rules && rules[j] & (emptyRule | partialRule))
      return false;
    return over == Over::marginal     ? classes[j] == 0
           : over == Over::negligible ? classes[j] == -1
                                      : over == Over::all || classes[j] != 1;
  }
};

void findSets(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const LinearSetsSlots *>(call.slots);
  TERCET_CHECK(s.subset >= 1 && s.subset <= 7, "a run's pattern is a byte");
  int64_t gr = call.item1, i = call.item0, row = gr * s.blocksQ + i;
  GroupHead head = groupHead(gr, s.firstPair, s.headsKV, s.headsPerKV);
  bool live = i < liveBlocks(s.qLengths, head.batch, s.tokensQ, s.blockQ);
  int64_t columns = live ? liveBlocks(s.kLengths, head.batch, s.tokensK, s.blockK) : 0;
  Row blocks = {s.classes + head.batch * s.strideB + head.queryHead * s.strideH + i * s.strideI,
                s.rules ? s.rules + row * s.blocksK : nullptr, static_cast<Over>(s.linearOver)};
  int32_t count = 0;
  if (s.subset == 1) {
    int32_t *list = s.lists + row * s.blocksK;
    for (int64_t j = 0; j < columns; ++j)
      if (blocks.has(j))
        list[count++] = static_cast<int32_t>(j);
  } else {
    int64_t runs = (s.blocksK + s.subset - 1) / s.subset;
    for (int64_t run = 0; run < runs; ++run) {
      unsigned bits = 0;
      for (int64_t b = 0, j = run * s.subset; b < s.subset && j < columns; ++b, ++j)
        bits |= static_cast<unsigned>(blocks.has(j)) << b;
      s.patterns[row * runs + run] = static_cast<int8_t>(bits);
      count += __builtin_popcount(bits);
    }
  }
  s.counts[row] = count;
}

void findUsed(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const LinearUsedSlots *>(call.slots);
  const int32_t *counts = s.counts + call.item0 * s.rowsPerPair;
  s.used[call.item0] = std::any_of(counts, counts + s.rowsPerPair, [](int32_t count) { return count > 0; });
}

} // namespace

const Builtin linearSetsBuiltin = {"linear_sets", sizeof(LinearSetsSlots) / 8, 0, findSets,
                                   nullptr,       classMapOf<LinearSetsSlots>};
const Builtin linearUsedBuiltin = {"linear_used", sizeof(LinearUsedSlots) / 8, 0, findUsed, nullptr, nullptr};

} // namespace tercet::rt
