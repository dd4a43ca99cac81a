// linear_lists: the linear set of each query block, or its complement where that costs less. Contract: Builtins.h.
#include "BuiltinTable.h"
#include "GroupHead.h"

#include "tercet/Builtins.h"
#include "tercet/Status.h"

namespace tercet::rt {
namespace {

enum class Over : int64_t { marginal, nonCritical };
enum class Way : int64_t { cheaper, add, subtract };

// A subtraction carries its rounding error along: six additions beside a load from L2, against one (zen5.md: 2.5 slots).
constexpr int64_t addCost = 2, subtractCost = 5;

bool inSet(int8_t blockClass, Over over) { return over == Over::marginal ? blockClass == 0 : blockClass != 1; }

void run(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const LinearListsSlots *>(call.slots);
  int64_t gr = call.item1, i = call.item0;
  GroupHead head = groupHead(gr, s.firstPair, s.headsKV, s.headsPerKV);
  int64_t place = gr * s.blocksQ + i;
  if (i >= liveBlocks(s.qLengths, head.batch, s.tokensQ, s.blockQ)) {
    s.counts[place] = 0;
    return;
  }
  int64_t columns = liveBlocks(s.kLengths, head.batch, s.tokensK, s.blockK);
  const int8_t *classes = s.classes + head.batch * s.strideB + head.queryHead * s.strideH + i * s.strideI;
  auto over = static_cast<Over>(s.linearOver);
  auto way = static_cast<Way>(s.mode);
  int64_t inside = 0;
  for (int64_t j = 0; j < columns; ++j)
    inside += inSet(classes[j], over);
  bool subtract = way == Way::subtract || (way == Way::cheaper && addCost * inside > subtractCost * (columns - inside));
  int64_t length = subtract ? columns - inside : inside;
  TERCET_CHECK(length <= s.capacity, "a plan's lists hold every block that a row can have");
  int32_t *list = s.lists + place * s.capacity;
  for (int64_t j = 0; j < columns; ++j)
    if (inSet(classes[j], over) != subtract)
      *list++ = static_cast<int32_t>(j);
  s.counts[place] = static_cast<int32_t>(subtract ? -1 - length : length);
}

} // namespace

const Builtin linearListsBuiltin = {"linear_lists", sizeof(LinearListsSlots) / 8, 0, run,
                                    nullptr,        classMapOf<LinearListsSlots>};

} // namespace tercet::rt
