// SingleFlight: work that many threads want at once is done by the first; the others wait for its outcome.
#pragma once

#include "tercet/Digest.h"
#include "tercet/Status.h"

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace tercet::rt {

/// Values by key. A success is kept; a failure is told to those who waited and then forgotten, so that a later call
/// tries again. Thread-safe; `make` runs without a lock held and never throws.
template <typename Value> class SingleFlight {
public:
  /// wasHeld: set to whether the value was there, or came from another thread.
  Result<Value> get(const Digest &key, const std::function<Result<Value>()> &make, bool &wasHeld) {
    std::shared_ptr<Flight> flight;
    {
      std::unique_lock lock(mutex);
      auto [entry, isFirst] = flights.try_emplace(key);
      if (isFirst)
        entry->second = std::make_shared<Flight>();
      flight = entry->second;
      wasHeld = !isFirst;
      if (!isFirst) {
        landed.wait(lock, [&] { return flight->outcome != nullptr; });
        return flight->outcome->ok() ? Result<Value>(**flight->outcome)
                                     : Result<Value>(flight->outcome->status().copy());
      }
    }
    auto outcome = std::make_shared<Result<Value>>(make());
    std::lock_guard lock(mutex);
    flight->outcome = outcome;
    if (!outcome->ok())
      flights.erase(key);
    landed.notify_all();
    return outcome->ok() ? Result<Value>(**outcome) : Result<Value>(outcome->status().copy());
  }

private:
  struct Flight {
    std::shared_ptr<Result<Value>> outcome;
  };
  std::mutex mutex;
  std::condition_variable landed;
  std::map<Digest, std::shared_ptr<Flight>> flights;
};

} // namespace tercet::rt
