// A latch holds the threads back until all are on their cores: one that is yet to be placed would wait behind one that
// works. The caller only joins, so that it does not wait for a core either.
#include "tercet/rt/Cores.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <latch>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

namespace tercet::rt {

static std::atomic<double> waitedInEndedThreads = 0;

/// The second field of a schedstat file: nanoseconds on a run queue.
static double secondsWaitedIn(const std::filesystem::path &schedstat) {
  std::ifstream file(schedstat);
  double ran = 0, waited = 0;
  return file >> ran >> waited ? waited * 1e-9 : 0;
}

double secondsWaited() {
  double waited = waitedInEndedThreads;
  std::error_code missing;
  for (const auto &task : std::filesystem::directory_iterator("/proc/self/task", missing))
    waited += secondsWaitedIn(task.path() / "schedstat");
  return waited;
}

std::vector<int> threadNumbers() {
  std::vector<int> numbers;
  std::error_code missing;
  for (const auto &task : std::filesystem::directory_iterator("/proc/self/task", missing))
    numbers.push_back(std::atoi(task.path().filename().c_str()));
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

#if defined(__linux__)
/// Asked once: a thread placed on one core hands that restriction on to the threads it starts.
static const std::vector<size_t> &usableCores() {
  static const std::vector<size_t> cores = [] {
    std::vector<size_t> found;
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0)
      for (size_t core = 0; core < CPU_SETSIZE; ++core)
        if (CPU_ISSET(core, &allowed))
          found.push_back(core);
    return found;
  }();
  return cores;
}
#endif

void moveToCore(int threadNumber, size_t index) {
#if defined(__linux__)
  const std::vector<size_t> &cores = usableCores();
  if (cores.empty())
    return;
  cpu_set_t chosen;
  CPU_ZERO(&chosen);
  CPU_SET(cores[index % cores.size()], &chosen);
  sched_setaffinity(threadNumber, sizeof(chosen), &chosen);
#endif
}

void runOnCores(size_t threads, const std::function<void(size_t)> &body) {
  if (threads <= 1)
    return body(0);
  std::latch allPlaced(static_cast<std::ptrdiff_t>(threads));
  std::atomic<bool> complete = true;
  std::vector<std::jthread> running; // joined last
  struct StandIn {                   // for threads that could not be started: those that wait must end
    std::latch &allPlaced;
    std::atomic<bool> &complete;
    std::ptrdiff_t missing;
    ~StandIn() {
      if (missing > 0) {
        complete = false;
        allPlaced.count_down(missing);
      }
    }
  } standIn{allPlaced, complete, static_cast<std::ptrdiff_t>(threads)};
  for (size_t i = 0; i < threads; ++i) {
    running.emplace_back([&, i] {
      moveToCore(0, i);
      allPlaced.arrive_and_wait();
      if (complete)
        body(i);
      waitedInEndedThreads += secondsWaitedIn("/proc/thread-self/schedstat");
    });
    --standIn.missing;
  }
}

} // namespace tercet::rt
