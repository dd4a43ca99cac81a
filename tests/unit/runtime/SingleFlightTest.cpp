#include "SingleFlight.h"

#include <catch2/catch.hpp>

#include <atomic>
#include <new>
#include <thread>
#include <vector>

using namespace tercet;

namespace {

const Digest key = digestOf(std::string_view("key"));

} // namespace

TEST_CASE("a maker that throws leaves its key free for the next call", "[single-flight]") {
  rt::SingleFlight<int> flights;
  bool wasHeld = true;
  auto noMemory = []() -> Result<int> { throw std::bad_alloc(); };
  CHECK_THROWS_AS((void)flights.get(key, noMemory, wasHeld), std::bad_alloc);
  CHECK_FALSE(wasHeld);
  CHECK(*flights.get(
            key, [] { return Result<int>(7); }, wasHeld) == 7);
  CHECK_FALSE(wasHeld);
  CHECK(*flights.get(key, noMemory, wasHeld) == 7); // is not made again
  CHECK(wasHeld);
}

TEST_CASE("those who wait for a maker that throws make the value themselves, once", "[single-flight]") {
  rt::SingleFlight<int> flights;
  constexpr int count = 16;
  std::atomic<int> waiting{0}, made{0}, thrown{0}, good{0};
  auto get = [&](bool fails) {
    bool wasHeld = false;
    ++waiting;
    try {
      auto value = flights.get(
          key,
          [&]() -> Result<int> {
            while (waiting < count) // so that the others come meanwhile
              std::this_thread::yield();
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            if (fails)
              throw std::bad_alloc();
            return ++made;
          },
          wasHeld);
      good += value.ok() && *value == 1;
    } catch (const std::bad_alloc &) {
      ++thrown;
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back([&] { get(true); });
  while (waiting == 0)
    std::this_thread::yield();
  for (int i = 1; i < count; ++i)
    threads.emplace_back([&] { get(false); });
  for (std::thread &thread : threads)
    thread.join();
  CHECK(thrown + good == count);
  CHECK(thrown <= 1);
  CHECK(made == 1);
}
