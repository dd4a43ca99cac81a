// Both counts are exact for one access; how accesses of different warps meet in caches is not modelled.
#include "core/Traffic.h"

#include "core/Lanes.h"

#include <algorithm>

namespace tercet::sim {

uint64_t countSectors(const LaneAddresses &addresses, Mask mask, uint32_t bytes) {
  std::array<uint64_t, 64> sectors;
  size_t count = 0;
  bool sorted = true;
  for (Mask rest = mask; rest; rest &= rest - 1) {
    uint64_t address = addresses[size_t(firstLane(rest))];
    for (uint64_t sector = address / 32; sector <= (address + bytes - 1) / 32; ++sector) {
      if (count && sectors[count - 1] == sector)
        continue;
      sorted &= !count || sectors[count - 1] < sector;
      sectors[count++] = sector;
    }
  }
  if (sorted)
    return count;
  std::sort(sectors.begin(), sectors.begin() + ptrdiff_t(count));
  return uint64_t(std::unique(sectors.begin(), sectors.begin() + ptrdiff_t(count)) - sectors.begin());
}

namespace {

// Wavefronts for the words of one group of lanes: the most different words in one bank.
uint32_t wavefronts(const uint64_t *words, size_t count) {
  uint64_t wordOfBank[32];
  uint32_t seen = 0;
  bool conflict = false;
  for (size_t i = 0; i < count; ++i) {
    uint32_t bank = words[i] % 32;
    if (!(seen >> bank & 1)) {
      seen |= 1u << bank;
      wordOfBank[bank] = words[i];
    } else {
      conflict |= wordOfBank[bank] != words[i];
    }
  }
  if (!conflict)
    return 1;
  std::array<uint64_t, 64> all;
  std::copy(words, words + count, all.begin());
  std::sort(all.begin(), all.begin() + ptrdiff_t(count));
  auto end = std::unique(all.begin(), all.begin() + ptrdiff_t(count));
  std::array<uint32_t, 32> inBank{};
  uint32_t most = 0;
  for (auto it = all.begin(); it != end; ++it)
    most = std::max(most, ++inBank[*it % 32]);
  return most;
}

} // namespace

void addShared(SharedTraffic &traffic, const LaneAddresses &addresses, Mask mask, uint32_t bytes) {
  int lanesPerGroup = bytes <= 4 ? 32 : bytes == 8 ? 16 : 8;
  uint32_t wordsPerLane = std::max(bytes / 4, 1u);
  for (int first = 0; first < warpLanes; first += lanesPerGroup) {
    std::array<uint64_t, 64> words;
    size_t count = 0;
    for (int lane = first; lane < first + lanesPerGroup; ++lane)
      if (mask >> lane & 1)
        for (uint32_t word = 0; word < wordsPerLane; ++word)
          words[count++] = addresses[size_t(lane)] / 4 + word;
    if (!count)
      continue;
    traffic.wavefronts += wavefronts(words.data(), count);
    ++traffic.ideal;
  }
  traffic.bytes += uint64_t(std::popcount(mask)) * bytes;
}

} // namespace tercet::sim
