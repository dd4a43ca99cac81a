// Progress: a bar on standard error while long work runs; nothing where standard error is no terminal.
#pragma once

#include "tercet/ParallelFor.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace tercet::cli {

class Progress {
public:
  /// total: steps in all. The bar appears after a quarter of a second, so that short work shows none.
  Progress(std::string label, int64_t total);
  /// Clears the bar.
  ~Progress();
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  /// Counts finished steps. From any thread.
  void advance(int64_t steps = 1);
  /// Says that so many steps are done, and shows `note` behind the bar. From one thread, and not beside `advance`.
  void reach(int64_t steps, std::string note);
  /// Runs items on `inner` and counts each as one step.
  ParallelFor counting(ParallelFor inner);

private:
  void draw(int64_t done);

  using Clock = std::chrono::steady_clock;
  std::string label, note;
  int64_t total;
  bool isTerminal, isShown = false;
  std::atomic<int64_t> finished{0};
  Clock::time_point begin = Clock::now(), drawn = begin;
  std::mutex mutex;
};

} // namespace tercet::cli
