// A latch holds the threads back until all exist, so that none of them measures while another is being made.
#include "tercet/rt/Cores.h"

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

namespace tercet::rt {

static void moveToCore(size_t index) {
#if defined(__linux__)
  cpu_set_t allowed, chosen;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
    return;
  size_t skip = index % static_cast<size_t>(CPU_COUNT(&allowed));
  CPU_ZERO(&chosen);
  for (size_t core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &allowed) && skip-- == 0) {
      CPU_SET(core, &chosen);
      sched_setaffinity(0, sizeof(chosen), &chosen);
      return;
    }
#endif
}

void runOnCores(size_t threads, const std::function<void(size_t)> &body) {
  if (threads <= 1)
    return body(0);
  std::latch go(1);
  std::atomic<bool> complete = false;
  std::vector<std::jthread> running; // joined last
  struct Release {                   // also when a thread cannot be started: those that wait must end
    std::latch &latch;
    ~Release() { latch.count_down(); }
  } release{go};
  for (size_t i = 0; i < threads; ++i)
    running.emplace_back([&, i] {
      moveToCore(i);
      go.wait();
      if (complete)
        body(i);
    });
  complete = true;
}

} // namespace tercet::rt
