// What makes merging a semilattice: records fall into slots, and a slot keeps the greatest of its records in a total order.
#include "RecordOrder.h"

#include <algorithm>
#include <tuple>

namespace tercet::tune {
namespace {

auto slotOf(const Record &record) {
  return std::make_tuple(std::cref(record.key), classOf(record.shape), std::cref(record.machine.device),
                         record.machine.units, record.generator);
}

} // namespace

std::strong_ordering preference(const StoredRecord &a, const StoredRecord &b) {
  if (auto later = b.record.date <=> a.record.date; later != 0)
    return later;
  if (a.record.cost.median != b.record.cost.median) // finite: the reader saw to it
    return a.record.cost.median < b.record.cost.median ? std::strong_ordering::less : std::strong_ordering::greater;
  return a.digest <=> b.digest;
}

std::vector<StoredRecord> mergeRecords(std::vector<StoredRecord> records) {
  std::sort(records.begin(), records.end(), [](const StoredRecord &a, const StoredRecord &b) {
    auto slotA = slotOf(a.record), slotB = slotOf(b.record);
    return slotA != slotB ? slotA < slotB : preference(a, b) < 0;
  });
  auto sameSlot = [](const StoredRecord &a, const StoredRecord &b) { return slotOf(a.record) == slotOf(b.record); };
  records.erase(std::unique(records.begin(), records.end(), sameSlot), records.end());
  return records;
}

} // namespace tercet::tune
