#include "tercet/rt/Cores.h"

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

using namespace tercet::rt;

TEST_CASE("every index runs once, and several threads run at once", "[cores]") {
  std::atomic<int> seen = 0, present = 0;
  runOnCores(3, [&](size_t thread) {
    seen += 1 << (4 * thread);
    ++present;
    while (present < 3) // ends only if all three are alive together
      std::this_thread::yield();
  });
  CHECK(seen == 0x111);
}

TEST_CASE("one thread is the caller", "[cores]") {
  std::thread::id ran;
  runOnCores(1, [&](size_t) { ran = std::this_thread::get_id(); });
  CHECK(ran == std::this_thread::get_id());
}

TEST_CASE("waiting never decreases, also when the threads that waited have ended", "[cores]") {
  double before = secondsWaited();
  runOnCores(16, [](size_t) {
    volatile int work = 0;
    for (int i = 0; i < 1000000; ++i)
      work = work + 1;
  });
  CHECK(secondsWaited() >= before);
}

TEST_CASE("a living thread is among the process's threads", "[cores]") {
  size_t with = 0;
  size_t without = threadNumbers().size();
  std::atomic<bool> stop = false;
  std::thread other([&] {
    while (!stop)
      std::this_thread::yield();
  });
  with = threadNumbers().size();
  stop = true;
  other.join();
  CHECK(without >= 1);
  CHECK(with == without + 1);
}
