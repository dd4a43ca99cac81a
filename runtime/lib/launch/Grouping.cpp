#include "tercet/rt/Grouping.h"

#include <algorithm>

namespace tercet::rt {
namespace {

constexpr int64_t fewestRows = 8;
constexpr int64_t itemsPerThread = 8; // enough that uneven items still fill all threads

int64_t ceilDiv(int64_t a, int64_t b) { return a / b + (a % b != 0); }

/// The size of equal parts when `total` is cut into as few parts of at most `most` as possible.
int64_t evenPart(int64_t total, int64_t most) { return ceilDiv(total, ceilDiv(total, most)); }

} // namespace

GroupingChoice chooseGrouping(const GroupingInput &input) {
  GroupingChoice choice;
  int64_t slices = std::max<int64_t>(1, input.slices), pairs = std::max<int64_t>(1, input.pairs);
  int64_t rows = std::max<int64_t>(1, input.rows), bytes = input.unitBytes + rows * input.rowBytes;
  choice.rows = rows;
  if (bytes <= 0) {
    choice.slices = slices;
    choice.pairs = std::min(pairs, ceilDiv(itemsPerThread * input.threads, std::max<int64_t>(1, input.itemsPerPair)));
  } else {
    int64_t units = std::max<int64_t>(1, input.budgetBytes / bytes);
    choice.slices = std::min(units, slices);
    choice.pairs = choice.slices == slices ? std::clamp<int64_t>(units / slices, 1, pairs) : 1;
    if (bytes > input.budgetBytes && input.rowBytes > 0)
      choice.rows =
          std::clamp((input.budgetBytes - input.unitBytes) / input.rowBytes, std::min(fewestRows, rows), rows);
  }
  choice.slices = evenPart(slices, choice.slices);
  choice.pairs = evenPart(pairs, choice.pairs);
  choice.rows = evenPart(rows, choice.rows);
  return choice;
}

} // namespace tercet::rt
