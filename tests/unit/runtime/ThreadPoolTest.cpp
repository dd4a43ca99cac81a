#include "tercet/rt/ThreadPool.h"
#include "tercet/rt/FloatControl.h"
#include "tercet/rt/Workers.h"

#include <catch2/catch.hpp>

#include <cfenv>
#include <chrono>
#include <random>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
constexpr bool underThreadSanitizer = true;
#else
constexpr bool underThreadSanitizer = false;
#endif

using namespace tercet;
using namespace tercet::rt;

namespace {

/// Runs `count` items and returns how many did not run exactly once, or ran under a bad worker index.
int wrongItems(ThreadPool &pool, int64_t count) {
  std::vector<std::atomic<int>> runs(static_cast<size_t>(count));
  std::vector<std::atomic<int>> busy(static_cast<size_t>(pool.threads()));
  std::atomic<int> wrong{0};
  pool.run(count, [&](int64_t item, int worker) {
    if (worker < 0 || worker >= pool.threads() || busy[size_t(worker)].exchange(1))
      ++wrong;
    ++runs[size_t(item)];
    busy[size_t(worker)] = 0;
  });
  for (std::atomic<int> &run : runs)
    wrong += run != 1;
  return wrong;
}

} // namespace

TEST_CASE("every item runs once, for many sizes of regions and pools", "[pool]") {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    int wrong = 0;
    for (int round = 0; round < 300; ++round)
      wrong += wrongItems(pool, round % 37);
    wrong += wrongItems(pool, 100000);
    INFO(threads << " threads");
    CHECK(wrong == 0);
  }
}

TEST_CASE("regions work after idle gaps, when workers sleep", "[pool]") {
  ThreadPool pool(4);
  int wrong = 0;
  for (int round = 0; round < 50; ++round) {
    std::this_thread::sleep_for(std::chrono::microseconds(round * 20));
    wrong += wrongItems(pool, 5);
  }
  CHECK(wrong == 0);
}

TEST_CASE("several host threads share a pool, and items may start regions", "[pool]") {
  ThreadPool pool(3);
  std::atomic<int64_t> sum{0};
  std::vector<std::thread> hosts;
  for (int host = 0; host < 4; ++host)
    hosts.emplace_back([&] {
      for (int round = 0; round < 200; ++round)
        pool.run(10, [&](int64_t, int) { pool.run(3, [&](int64_t inner, int) { sum += inner; }); });
    });
  for (std::thread &host : hosts)
    host.join();
  CHECK(sum == 4 * 200 * 10 * 3);
}

TEST_CASE("what items wrote is visible to the caller", "[pool]") {
  ThreadPool pool(4);
  std::vector<int> values(1000);
  for (int round = 1; round <= 200; ++round) {
    pool.run(1000, [&](int64_t item, int) { values[size_t(item)] += round; });
    if (values != std::vector<int>(1000, round * (round + 1) / 2))
      FAIL("round " << round);
  }
}

TEST_CASE("a forked child, which has no workers, does its items itself", "[pool]") {
  if (underThreadSanitizer)
    return; // it forbids threads and locks of the parent in the child
  auto pool = std::make_unique<ThreadPool>(4);
  for (int round = 0; round < 20; ++round) {
    wrongItems(*pool, 100); // workers are awake, on their way to sleep, or asleep when the child begins
    std::this_thread::sleep_for(std::chrono::microseconds(round % 2 * 50));
    pid_t child = fork();
    if (child == 0) {
      alarm(20);
      int wrong = wrongItems(*pool, 100);
      pool.reset();
      _exit(wrong == 0 ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    REQUIRE((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  }
}

#if defined(__x86_64__)
TEST_CASE("items flush denormals and the caller's floating-point state comes back", "[pool]") {
  Workers workers(2);
  std::fesetround(FE_UPWARD);
  unsigned before = _mm_getcsr();
  std::atomic<int> wrong{0};
  CHECK(workers
            .run(100,
                 [&](int64_t, int) {
                   volatile float denormal = 1e-40f;
                   wrong += denormal * 1.0f != 0.0f;      // denormals are zero
                   wrong += (_mm_getcsr() & 0x6000) != 0; // round to nearest
                 })
            .ok());
  CHECK(wrong == 0);
  CHECK(_mm_getcsr() == before);
  std::fesetround(FE_TONEAREST);
}
#endif
