// Workers: what a launch runs its items on: the session's pool, or the embedder's threads. Either way every item runs
// under FloatControl.
#pragma once

#include "tercet/Status.h"
#include "tercet/rt/ThreadPool.h"

#include <memory>

namespace tercet::rt {

class Workers {
public:
  /// threads: 0 means TERCET_THREADS, else all cores that this process may use. hook: empty for an own pool.
  explicit Workers(int threads, ParallelFor hook = {});
  /// The number of worker indices that items may see.
  int threads() const;
  /// Runs all items; launchFailed if the embedder's hook threw, lost or repeated items, or gave a worker out of range.
  Status run(int64_t count, const WorkItem &body) const;

private:
  Status runHook(int64_t count, const WorkItem &body) const;

  ParallelFor hook;
  int hookThreads = 0;
  std::unique_ptr<ThreadPool> pool;
};

/// Cores that this process may run on, at least 1.
int usableCores();

} // namespace tercet::rt
