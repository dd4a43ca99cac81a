// copy_classes: classes handed in become the resolved map: broadcast, empty blocks -1, and partial ones +1 unless they are
// skipped. Contract: Builtins.h.
#include "BuiltinTable.h"
#include "GroupHead.h"

#include "tercet/Builtins.h"

#include <cstring>

namespace tercet::rt {
namespace {

void applyMask(const uint8_t *rules, int64_t count, int8_t *classes) {
  for (int64_t j = 0; j < count; ++j) {
    int8_t kept = rules[j] & partialRule && classes[j] != -1 ? int8_t{1} : classes[j];
    classes[j] = rules[j] & emptyRule ? int8_t{-1} : kept;
  }
}

void run(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const CopyClassesSlots *>(call.slots);
  GroupHead head = groupHead(call.item0, s.firstPair, s.headsKV, s.headsPerKV);
  int64_t rows = liveBlocks(s.qLengths, head.batch, s.tokensQ, s.blockQ);
  int64_t columns = liveBlocks(s.kLengths, head.batch, s.tokensK, s.blockK);
  const int8_t *given = s.given + head.batch * s.givenStrideB + head.queryHead * s.givenStrideH;
  int8_t *classes = s.classes + head.batch * s.strideB + head.queryHead * s.strideH;
  for (int64_t i = 0; i < s.blocksQ; ++i) {
    int8_t *to = classes + i * s.strideI;
    const int8_t *from = given + i * s.givenStrideI;
    int64_t live = i < rows ? columns : 0;
    if (s.givenStrideJ == 1)
      std::memmove(to, from, static_cast<size_t>(live)); // the map may be resolved in place
    else
      for (int64_t j = 0; j < live; ++j)
        to[j] = from[j * s.givenStrideJ];
    if (s.rules)
      applyMask(s.rules + (call.item0 * s.blocksQ + i) * s.blocksK, live, to);
    std::memset(to + live, -1, static_cast<size_t>(s.blocksK - live));
  }
}

} // namespace

const Builtin copyClassesBuiltin = {"copy_classes", sizeof(CopyClassesSlots) / 8, 0, run,
                                    nullptr,        classMapOf<CopyClassesSlots>};

} // namespace tercet::rt
