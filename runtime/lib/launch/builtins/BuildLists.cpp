// build_lists: class rows to sorted lists of tiles with participation masks. Contract: Builtins.h. Rows are read eight
// blocks at a time, so that the empty stretches of sparse maps cost little.
#include "BuiltinTable.h"
#include "ClassBytes.h"
#include "GroupHead.h"
#include "TokenRows.h"

#include "tercet/Builtins.h"
#include "tercet/Status.h"

namespace tercet::rt {
namespace {

constexpr int64_t meanTile = 64;
constexpr int64_t mostVisits = partialBit; // bits of AttendEntry::mask, but for those of partial blocks
constexpr int64_t mostBlocksPerVisit = 16, mostRows = mostVisits * mostBlocksPerVisit;

/// The list of one super row while it grows.
struct ListWriter {
  AttendEntry *entries;
  int64_t capacity, count = 0;
  uint8_t *takers; ///< null: not wanted
  int32_t *takersAt;
  int32_t firstTaker = 0, endTaker = 0; ///< of the entries to come

  void add(int64_t tile, uint32_t mask) {
    TERCET_CHECK(count < capacity, "a plan's lists hold every tile that a row can have");
    if (takers) {
      takersAt[2 * count] = firstTaker;
      takersAt[2 * count + 1] = endTaker;
    }
    entries[count++] = {static_cast<int32_t>(tile), static_cast<int32_t>(mask)};
  }
};

/// The class rows of one super row that are within the query length.
struct SuperRow {
  const int8_t *rows[mostRows];
  const uint8_t *rules[mostRows]; ///< null: no mask
  int64_t count, perVisit;
  int64_t blockQ, tokens;     ///< tokens of a row, and of all of them
  int64_t columns;            ///< non-empty key blocks
  const int32_t *tokenCounts; ///< of the batch entry
};

void addTakers(const SuperRow &row, int64_t j, int64_t first, int64_t end, ListWriter &list) {
  for (int64_t s = first; s < end; ++s)
    for (int64_t token = s * row.blockQ; row.rows[s][j] == 1 && token < std::min((s + 1) * row.blockQ, row.tokens);
         ++token)
      list.takers[list.endTaker++] = static_cast<uint8_t>(token);
}

uint32_t criticalMask(const SuperRow &row, int64_t j, ListWriter &list) {
  uint32_t takers = 0, partial = 0;
  for (int64_t first = 0, visit = 0; first < row.count; first += row.perVisit, ++visit) {
    int64_t end = std::min(first + row.perVisit, row.count);
    for (int64_t s = first; s < end; ++s)
      if (row.rows[s][j] == 1) {
        takers |= 1u << visit;
        if (row.rules[s] && row.rules[s][j] & partialRule)
          partial |= 1u << visit;
      }
    if (list.takers && takers >> visit & 1 && !(partial >> visit & 1))
      addTakers(row, j, first, end, list);
  }
  return takers | partial << partialBit;
}

bool anyCriticalOfEight(const SuperRow &row, int64_t j) {
  uint64_t any = 0;
  for (int64_t s = 0; s < row.count; ++s)
    any |= criticalBytes(loadClasses(row.rows[s] + j));
  return any != 0;
}

void addBlock(const BuildListsSlots &s, const SuperRow &row, int64_t j, uint32_t mask, int64_t liveK,
              ListWriter &list) {
  int64_t parts = s.blockK / s.tileK, tokens = tokensOfBlock(row.tokenCounts, j, s.blockK, liveK);
  for (int64_t part = 0; part * s.tileK < tokens; ++part)
    list.add(j * parts + part, mask);
}

void addCritical(const BuildListsSlots &s, const SuperRow &row, int64_t liveK, ListWriter &list) {
  int64_t j = 0;
  while (j < row.columns) {
    if (j + 8 <= row.columns && !anyCriticalOfEight(row, j)) {
      j += 8;
      continue;
    }
    int64_t end = std::min(j + 8, row.columns);
    for (; j < end; ++j) {
      list.firstTaker = list.endTaker;
      if (uint32_t mask = criticalMask(row, j, list))
        addBlock(s, row, j, mask, liveK, list);
    }
  }
}

bool hasMarginal(const int8_t *classes, int64_t begin, int64_t end) {
  int64_t j = begin;
  for (; j + 8 <= end; j += 8)
    if (marginalBytes(loadClasses(classes + j)))
      return true;
  for (; j < end; ++j)
    if (classes[j] == 0)
      return true;
  return false;
}

void addMeans(const SuperRow &row, ListWriter &list) {
  for (int64_t begin = 0; begin < row.columns; begin += meanTile) {
    uint32_t mask = 0;
    for (int64_t s = 0; s < row.count; ++s)
      mask |= static_cast<uint32_t>(hasMarginal(row.rows[s], begin, std::min(begin + meanTile, row.columns))) << s;
    if (mask)
      list.add(meanTileBit | begin / meanTile, mask);
  }
}

void run(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const BuildListsSlots *>(call.slots);
  TERCET_CHECK(s.visitsPerRow >= 1 && s.visitsPerRow <= mostVisits && s.blocksPerVisit >= 1 &&
                   s.blocksPerVisit <= mostBlocksPerVisit && !(s.withMeans && s.blocksPerVisit > 1),
               "a super row fits its mask");
  int64_t gr = call.item1, superRow = call.item0, blocks = s.visitsPerRow * s.blocksPerVisit, first = superRow * blocks;
  GroupHead head = groupHead(gr, s.firstPair, s.headsKV, s.headsPerKV);
  int64_t liveRows = liveBlocks(s.qLengths, head.batch, s.tokensQ, s.blockQ);
  SuperRow row;
  row.tokenCounts = ofBatch(s.tokenCounts, head.batch, s.blocksK);
  row.count = std::clamp<int64_t>(liveRows - first, 0, blocks);
  row.perVisit = s.blocksPerVisit;
  row.blockQ = s.blockQ;
  row.tokens = std::min(liveTokens(s.qLengths, head.batch, s.tokensQ) - first * s.blockQ, blocks * s.blockQ);
  TERCET_CHECK(!s.takers || blocks * s.blockQ <= mostRows, "rows of a super row are bytes");
  row.columns = liveBlocks(s.kLengths, head.batch, s.tokensK, s.blockK);
  for (int64_t index = 0; index < row.count; ++index) {
    int64_t i = first + index;
    row.rows[index] = s.classes + head.batch * s.strideB + head.queryHead * s.strideH + i * s.strideI;
    row.rules[index] = s.rules ? s.rules + (gr * s.blocksQ + i) * s.blocksK : nullptr;
  }

  int64_t place = gr * s.superRows + superRow;
  ListWriter list = {.entries = static_cast<AttendEntry *>(s.lists) + place * s.capacity,
                     .capacity = s.capacity,
                     .takers = s.takers ? s.takers + place * blocks * s.blockQ * s.blocksK : nullptr,
                     .takersAt = s.takersAt ? s.takersAt + 2 * place * s.capacity : nullptr};
  if (row.count > 0) {
    addCritical(s, row, liveTokens(s.kLengths, head.batch, s.tokensK), list);
    if (s.withMeans)
      addMeans(row, list);
  }
  s.counts[place] = static_cast<int32_t>(list.count);
}

} // namespace

ClassMapView classMap(const int64_t *slots) {
  ClassMapView map = classMapOf<BuildListsSlots>(slots);
  map.rules = reinterpret_cast<const BuildListsSlots *>(slots)->rules;
  return map;
}

const Builtin buildListsBuiltin = {"build_lists", sizeof(BuildListsSlots) / 8, 0, run, nullptr, classMap};

} // namespace tercet::rt
