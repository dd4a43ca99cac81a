// pattern: classes by rule bytes alone. Contract: Builtins.h.
#include "BuiltinTable.h"
#include "Dispatch.h"
#include "GroupHead.h"

#include "tercet/Builtins.h"

#include <cstring>

namespace tercet::rt {
namespace {

constexpr int64_t chunkRows = 64;

struct ClassesByRules {
  [[gnu::always_inline]] static inline void run(const uint8_t *rules, int64_t count, int8_t *classes) {
    for (int64_t j = 0; j < count; ++j) {
      int8_t inSet = rules[j] & (forcedRule | partialRule) ? 1 : 0;
      classes[j] = rules[j] & emptyRule ? int8_t{-1} : inSet;
    }
  }
};

void run(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const PatternSlots *>(call.slots);
  GroupHead head = groupHead(call.item1, s.firstPair, s.headsKV, s.headsPerKV);
  int64_t liveRows = liveBlocks(s.qLengths, head.batch, s.tokensQ, s.blockQ);
  int64_t liveCols = liveBlocks(s.kLengths, head.batch, s.tokensK, s.blockK);
  int64_t first = call.item0 * chunkRows, end = std::min(first + chunkRows, s.blocksQ);
  for (int64_t i = first; i < end; ++i) {
    int64_t live = i < liveRows ? liveCols : 0;
    int8_t *classes = s.classes + head.batch * s.strideB + head.queryHead * s.strideH + i * s.strideI;
    Dispatch<ClassesByRules, const uint8_t *, int64_t, int8_t *>::call(
        s.rules + (call.item1 * s.blocksQ + i) * s.blocksK, live, classes);
    std::memset(classes + live, -1, static_cast<size_t>(s.blocksK - live));
  }
}

} // namespace

const Builtin patternBuiltin = {"pattern", sizeof(PatternSlots) / 8, 0, run, nullptr, classMapOf<PatternSlots>};

} // namespace tercet::rt
