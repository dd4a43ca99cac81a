// Sums eight streams per thread, so that the loop waits for memory and not for one chain of additions.
#include "MemoryProbe.h"

#include "tercet/rt/Cores.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <numeric>
#include <vector>

namespace tercet::cli {

double measureReadBandwidth(int threads) {
  constexpr size_t words = size_t(64) << 17; // 64 MiB: more than a core's share of any cache
  constexpr int passes = 4;
  std::vector<double> rates(static_cast<size_t>(threads), 0.0);
  std::vector<uint64_t> sums(static_cast<size_t>(threads), 0);
  rt::runOnCores(static_cast<size_t>(threads), [&](size_t thread) {
    std::vector<uint64_t> buffer(words, thread);
    for (int pass = 0; pass < passes; ++pass) {
      auto begin = std::chrono::steady_clock::now();
      uint64_t lanes[8] = {};
      for (size_t i = 0; i < words; i += 8)
        for (size_t lane = 0; lane < 8; ++lane)
          lanes[lane] += buffer[i + lane];
      double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      rates[thread] = std::max(rates[thread], static_cast<double>(words * sizeof(uint64_t)) / seconds);
      sums[thread] += std::accumulate(lanes, lanes + 8, uint64_t(0));
    }
  });
  volatile uint64_t used = std::accumulate(sums.begin(), sums.end(), uint64_t(0)); // the reads must not be left out
  (void)used;
  return std::accumulate(rates.begin(), rates.end(), 0.0);
}

} // namespace tercet::cli
