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
  int64_t offset = head.batch * s.strideB + head.queryHead * s.strideH;
  int64_t first = call.item0 * chunk, end = std::min(first + chunk, s.blocksK);
  for (int64_t i = 0; i < s.blocksQ; ++i)
    for (int64_t j = first; j < end; ++j)
      s.transposed[offset + j * s.blocksQ + i] = s.classes[offset + i * s.strideI + j];
}

} // namespace

const Builtin transposeClassesBuiltin = {
    "transpose_classes", sizeof(TransposeClassesSlots) / 8, 0, run, nullptr, nullptr};

} // namespace tercet::rt
