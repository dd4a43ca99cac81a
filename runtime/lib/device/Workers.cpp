#include "tercet/rt/Workers.h"

#include "tercet/Environment.h"
#include "tercet/rt/FloatControl.h"

#include <algorithm>
#include <exception>

namespace tercet::rt {
namespace {

constexpr int mostThreads = 4096;

} // namespace

int usableCores() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

Workers::Workers(int threads, ParallelFor hook) : hook(std::move(hook)) {
  if (threads <= 0)
    threads = environment().threads > 0 ? environment().threads : usableCores();
  threads = std::min(threads, mostThreads);
  if (this->hook)
    hookThreads = threads;
  else
    pool = std::make_unique<ThreadPool>(threads);
}

int Workers::threads() const { return pool ? pool->threads() : hookThreads; }

Status Workers::run(int64_t count, const WorkItem &body) const {
  if (count <= 0)
    return {};
  if (!pool)
    return runHook(count, body);
  pool->run(count, [&](int64_t item, int worker) {
    FloatControl control;
    body(item, worker);
  });
  return {};
}

Status Workers::runHook(int64_t count, const WorkItem &body) const {
  std::atomic<int64_t> done{0};
  std::atomic<bool> outOfRange{false};
  WorkItem guarded = [&](int64_t item, int worker) {
    if (item < 0 || item >= count || worker < 0 || worker >= hookThreads) {
      outOfRange = true;
      return;
    }
    FloatControl control;
    body(item, worker);
    done.fetch_add(1);
  };
  try {
    hook(count, guarded);
  } catch (const std::exception &error) {
    return Status::make(Code::launchFailed, "the embedder's parallelFor threw: {}", error.what());
  } catch (...) {
    return Status::make(Code::launchFailed, "the embedder's parallelFor threw");
  }
  if (outOfRange)
    return Status::make(
        Code::launchFailed,
        "the embedder's parallelFor called an item or worker out of range; items are 0..{}, workers 0..{}", count - 1,
        hookThreads - 1);
  if (done != count)
    return Status::make(Code::launchFailed, "the embedder's parallelFor ran {} items of {}", done.load(), count);
  return {};
}

} // namespace tercet::rt
