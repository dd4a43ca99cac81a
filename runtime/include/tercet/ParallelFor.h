// ParallelFor: the hook through which an embedder lends its own threads.
#pragma once

#include <cstdint>
#include <functional>

namespace tercet {

/// One work item: `worker` is unique among the items of one call that run at the same time. Never throws.
using WorkItem = std::function<void(int64_t item, int worker)>;

/// Runs `body(item)` for item in [0, count) on any threads, returns when all are done. The embedder's own pool goes
/// here.
using ParallelFor = std::function<void(int64_t count, const WorkItem &body)>;

} // namespace tercet
