// Background: threads that do one thing each, and are waited for.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <unistd.h>

namespace tercet::c {

class Background {
public:
  Background() : running(std::make_unique<Running>()), ownerProcess(::getpid()) {}
  /// Waits for all of them, and for what they start meanwhile; not in a forked child, where their threads are not.
  ~Background() {
    if (ownerProcess != ::getpid()) {
      running.release();
      return;
    }
    for (;;) {
      Running last;
      std::lock_guard lock(mutex);
      if (running->empty())
        return;
      last.swap(*running);
    } // the futures wait in their destructor, without the lock
  }
  /// Runs `work`, which never throws, in a thread. Thread-safe, also from such work.
  void start(std::function<void()> work) {
    std::lock_guard lock(mutex);
    running->remove_if([](const std::future<void> &each) {
      return each.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    });
    running->push_back(std::async(std::launch::async, std::move(work)));
  }

private:
  using Running = std::list<std::future<void>>;

  std::mutex mutex;
  std::unique_ptr<Running> running;
  int ownerProcess;
};

} // namespace tercet::c
