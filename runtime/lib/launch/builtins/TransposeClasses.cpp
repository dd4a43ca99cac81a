// transpose_classes: the class map by key block, from which build_lists makes lists of queries. Contract: Builtins.h.
#include "BuiltinTable.h"
#include "GroupHead.h"

#include "tercet/Builtins.h"

namespace tercet::rt {
namespace {

constexpr int64_t chunk = 64; // a cache line of every row of the map

void run(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const TransposeClassesSlots *>(call.slots);
  GroupHead head = groupHead(call.item1, s.firstPair, s.headsKV, s.headsPerKV);
  const int8_t *classes = s.classes + head.batch * s.strideB + head.queryHead * s.strideH;
  int64_t runs = (s.blocksQ + s.together - 1) / s.together,
          place = head.batch * s.headsKV * s.headsPerKV + head.queryHead;
  int8_t *transposed = s.transposed + place * s.blocksK * runs;
  int64_t first = call.item0 * chunk, end = std::min(first + chunk, s.blocksK);
  for (int64_t run = 0; run < runs; ++run) {
    int64_t begin = run * s.together, behind = std::min(begin + s.together, s.blocksQ);
    for (int64_t j = first; j < end; ++j) {
      int8_t all = classes[begin * s.strideI + j];
      for (int64_t i = begin + 1; i < behind; ++i) {
        int8_t own = classes[i * s.strideI + j];
        all = s.ofRules ? static_cast<int8_t>(all | own) : std::max(all, own);
      }
      transposed[j * runs + run] = all;
    }
  }
}

} // namespace

const Builtin transposeClassesBuiltin = {
    "transpose_classes", sizeof(TransposeClassesSlots) / 8, 0, run, nullptr, nullptr};

} // namespace tercet::rt
