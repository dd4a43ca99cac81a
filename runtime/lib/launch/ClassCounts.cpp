#include "ClassCounts.h"

#include "builtins/GroupHead.h"

#include "tercet/Builtins.h"

#include <atomic>

namespace tercet::rt {

Result<ClassCounts> countClasses(const ClassMapView &map, int64_t heads, const Workers &workers) {
  std::atomic<int64_t> critical{0}, marginal{0}, negligible{0};
  TERCET_RETURN_IF_ERROR(workers.run(heads, [&](int64_t gr, int) {
    GroupHead head = groupHead(gr, map.firstPair, map.headsKV, map.headsPerKV);
    int64_t rows = liveBlocks(map.qLengths, head.batch, map.tokensQ, map.blockQ);
    int64_t columns = liveBlocks(map.kLengths, head.batch, map.tokensK, map.blockK);
    int64_t ones = 0, zeros = 0, empty = 0;
    for (int64_t i = 0; i < rows; ++i) {
      const int8_t *row = map.classes + head.batch * map.strideB + head.queryHead * map.strideH + i * map.strideI;
      const uint8_t *rules = map.rules ? map.rules + (gr * map.blocksQ + i) * map.blocksK : nullptr;
      for (int64_t j = 0; j < columns; ++j) {
        empty += rules && rules[j] & emptyRule;
        ones += row[j] == 1;
        zeros += row[j] == 0;
      }
    }
    critical += ones;
    marginal += zeros;
    negligible += rows * columns - ones - zeros - empty;
  }));
  return ClassCounts{critical, marginal, negligible};
}

} // namespace tercet::rt
