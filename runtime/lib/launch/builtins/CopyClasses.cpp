// copy_classes: classes handed in become the resolved map: broadcast, and empty blocks -1. Contract: Builtins.h.
#include "BuiltinTable.h"
#include "GroupHead.h"

#include "tercet/Builtins.h"

#include <cstring>

namespace tercet::rt {
namespace {

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
    std::memset(to + live, -1, static_cast<size_t>(s.blocksK - live));
  }
}

} // namespace

const Builtin copyClassesBuiltin = {"copy_classes", sizeof(CopyClassesSlots) / 8, 0, run,
                                    nullptr,        classMapOf<CopyClassesSlots>};

} // namespace tercet::rt
