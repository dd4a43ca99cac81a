#include "tercet/rt/ThreadPool.h"

#include <algorithm>
#include <csignal>
#include <exception>
#include <unistd.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tercet::rt {
namespace {

// About 10 us: covers the gap between two stages of a launch; longer spinning steals time from a host that shares the
// cores.
constexpr int spinRounds = 200;
constexpr uint32_t closed = UINT32_MAX; // item index of a region that hands out nothing

uint32_t regionOf(uint64_t cursor) { return static_cast<uint32_t>(cursor >> 32); }
uint32_t itemOf(uint64_t cursor) { return static_cast<uint32_t>(cursor); }
uint64_t makeCursor(uint32_t region, uint32_t item) { return uint64_t{region} << 32 | item; }

void pauseBriefly() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

/// Threads started inside inherit a mask with every signal blocked: signals belong to the host's threads.
class BlockSignals {
public:
  BlockSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &saved);
  }
  ~BlockSignals() { pthread_sigmask(SIG_SETMASK, &saved, nullptr); }

private:
  sigset_t saved;
};

} // namespace

ThreadPool::ThreadPool(int threads)
    : threadCount(std::max(1, threads)), cursor(makeCursor(0, closed)), sleeping(std::make_unique<Sleeping>()),
      ownerProcess(::getpid()) {
  sleeping->workers.reserve(static_cast<size_t>(threadCount - 1)); // no memory for it: before there are threads to end
  BlockSignals block;
  for (int worker = 1; worker < threadCount; ++worker) {
    try {
      sleeping->workers.emplace_back([this, worker] { workerLoop(worker); });
    } catch (const std::exception &) { // the system has no more threads, or no memory: go on with those there are
      threadCount = worker;
    }
  }
}

ThreadPool::~ThreadPool() {
  if (isForkedChild()) {
    sleeping
        .release(); // its condition would wait for waiters, and its threads for an end, that are not in this process
    return;
  }
  {
    std::lock_guard lock(sleeping->mutex);
    stopping = true;
  }
  sleeping->workersWake.notify_all();
  for (std::thread &worker : sleeping->workers)
    worker.join();
}

void ThreadPool::run(int64_t count, const WorkItem &body) {
  bool alone = count <= 1 || threadCount == 1 || isForkedChild() || taken.exchange(true, std::memory_order_acquire);
  if (alone) {
    for (int64_t item = 0; item < count; ++item)
      body(item, 0);
    return;
  }
  constexpr int64_t mostItems = closed - 1;
  for (int64_t first = 0; first < count; first += mostItems) {
    auto part = static_cast<uint32_t>(std::min(count - first, mostItems));
    if (first == 0)
      runRegion(part, body);
    else
      runRegion(part, [&](int64_t item, int worker) { body(first + item, worker); });
  }
  taken.store(false, std::memory_order_release);
}

void ThreadPool::runRegion(uint32_t count, const WorkItem &body) {
  uint32_t region = regionOf(cursor.load(std::memory_order_relaxed)) + 1;
  // Closed first: late workers of the last region can claim nothing while this one is set up.
  cursor.store(makeCursor(region, closed));
  itemCount.store(count, std::memory_order_release);
  work.store(&body, std::memory_order_release);
  remaining.store(count);
  cursor.store(makeCursor(region, 0));
  wakeWorkers(count);
  takeItems(0);
  waitUntilDone();
}

bool ThreadPool::isForkedChild() const { return ownerProcess != ::getpid(); }

bool ThreadPool::itemsLeft() const {
  uint32_t item = itemOf(cursor.load());
  return item != closed && item < itemCount.load(std::memory_order_acquire);
}

void ThreadPool::takeItems(int worker) {
  uint64_t seen = cursor.load();
  while (true) {
    uint32_t count = itemCount.load(std::memory_order_acquire);
    const WorkItem *body = work.load(std::memory_order_acquire);
    if (itemOf(seen) >= count)
      return;
    if (!cursor.compare_exchange_weak(seen, seen + 1))
      continue; // `seen` now holds the current cursor
    (*body)(itemOf(seen), worker);
    if (remaining.fetch_sub(1) == 1 && callerSleeps.load()) {
      std::lock_guard lock(sleeping->mutex);
      sleeping->callerWakes.notify_one();
    }
    seen = cursor.load();
  }
}

void ThreadPool::wakeWorkers(uint32_t count) {
  // Ordered against waitForItems: either this load sees the sleeper, or the sleeper's check sees the new cursor.
  int asleep = sleepers.load();
  if (asleep == 0)
    return;
  { std::lock_guard lock(sleeping->mutex); } // a worker between its check and its wait is now waiting
  uint32_t useful = count - 1;
  if (useful >= static_cast<uint32_t>(asleep))
    sleeping->workersWake.notify_all();
  else
    for (uint32_t wake = 0; wake < useful; ++wake)
      sleeping->workersWake.notify_one();
}

void ThreadPool::waitUntilDone() {
  for (int round = 0; round < spinRounds; ++round) {
    if (remaining.load() == 0)
      return;
    pauseBriefly();
  }
  std::unique_lock lock(sleeping->mutex);
  callerSleeps.store(true);
  sleeping->callerWakes.wait(lock, [&] { return remaining.load() == 0; });
  callerSleeps.store(false);
}

void ThreadPool::waitForItems() {
  for (int round = 0; round < spinRounds; ++round) {
    if (itemsLeft() || stopping.load())
      return;
    pauseBriefly();
  }
  std::unique_lock lock(sleeping->mutex);
  sleepers.fetch_add(1);
  sleeping->workersWake.wait(lock, [&] { return stopping.load() || itemsLeft(); });
  sleepers.fetch_sub(1);
}

void ThreadPool::workerLoop(int worker) {
  while (!stopping.load()) {
    takeItems(worker);
    waitForItems();
  }
}

} // namespace tercet::rt
