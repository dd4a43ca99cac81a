// ThreadPool: the runtime's own threads. One parallel region at a time; a caller that finds the pool taken runs its
// items itself, so concurrent and nested calls never wait for each other and cannot deadlock.
//
// A region is over when its items are done, not when workers have woken up: a sleeping worker costs nothing. A forked
// child has no workers, and finds the mutex in any state: it does every item itself and touches neither.
#pragma once

#include "tercet/ParallelFor.h"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace tercet::rt {

class ThreadPool {
public:
  /// `threads` counts the caller: threads - 1 are started, with all signals blocked.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  int threads() const { return threadCount; }
  /// Runs body(item, worker) for every item in [0, count); worker in [0, threads()), 0 is the caller.
  void run(int64_t count, const WorkItem &body);

private:
  void runRegion(uint32_t count, const WorkItem &body);
  void workerLoop(int worker);
  void takeItems(int worker);
  bool itemsLeft() const;
  bool isForkedChild() const;
  void waitForItems();
  void waitUntilDone();
  void wakeWorkers(uint32_t count);

  int threadCount;
  std::atomic<bool> taken{false};
  // Region number (high half) and next item (low half). A worker claims an item by compare-and-swap, which fails if the
  // region changed since it read `itemCount` and `work`.
  alignas(64) std::atomic<uint64_t> cursor;
  std::atomic<uint32_t> itemCount{0};
  std::atomic<const WorkItem *> work{nullptr};
  alignas(64) std::atomic<uint32_t> remaining{0};
  std::atomic<int> sleepers{0};
  std::atomic<bool> callerSleeps{false};
  std::atomic<bool> stopping{false};
  struct Sleeping {
    std::mutex mutex;
    std::condition_variable workersWake, callerWakes;
    std::vector<std::thread> workers;
  };
  std::unique_ptr<Sleeping> sleeping; ///< apart, so that a forked child can leave it alone
  int ownerProcess;
};

} // namespace tercet::rt
