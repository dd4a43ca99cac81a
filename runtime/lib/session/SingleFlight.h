// SingleFlight: work that many threads want at once is done by the first; the others wait for its outcome.
#pragma once

#include "tercet/Digest.h"
#include "tercet/Status.h"

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace tercet::rt {

/// Values by key. A success is kept; a failure is told to those who waited and then forgotten, so that a later call
/// tries again. Thread-safe; `make` runs without a lock held. What it throws (no memory) reaches its caller, and one of
/// those who waited makes the value instead.
template <typename Value> class SingleFlight {
public:
  /// wasHeld: set to whether the value was there, or came from another thread.
  Result<Value> get(const Digest &key, const std::function<Result<Value>()> &make, bool &wasHeld) {
    for (;;) {
      auto [flight, isFirst] = join(key);
      wasHeld = !isFirst;
      if (isFirst)
        return fly(key, *flight, make);
      std::unique_lock lock(mutex);
      landed.wait(lock, [&, flight = flight.get()] { return flight->outcome || flight->isLost; });
      if (flight->outcome)
        return told(*flight->outcome);
    }
  }

private:
  struct Flight {
    std::optional<Result<Value>> outcome; ///< set once
    bool isLost = false;                  ///< there will be none
  };

  std::pair<std::shared_ptr<Flight>, bool> join(const Digest &key) {
    auto own = std::make_shared<Flight>(); // before the map changes, so that no memory for it changes nothing
    std::lock_guard lock(mutex);
    auto [entry, isFirst] = flights.try_emplace(key, std::move(own));
    return {entry->second, isFirst};
  }

  Result<Value> fly(const Digest &key, Flight &flight, const std::function<Result<Value>()> &make) {
    try {
      Result<Value> outcome = make();
      std::lock_guard lock(mutex);
      flight.outcome.emplace(std::move(outcome));
      if (!flight.outcome->ok())
        flights.erase(key);
    } catch (...) {
      std::lock_guard lock(mutex);
      flight.isLost = true;
      flights.erase(key);
      landed.notify_all();
      throw;
    }
    landed.notify_all();
    return told(*flight.outcome);
  }

  static Result<Value> told(const Result<Value> &outcome) {
    return outcome.ok() ? Result<Value>(*outcome) : Result<Value>(outcome.status().copy());
  }

  std::mutex mutex;
  std::condition_variable landed;
  std::map<Digest, std::shared_ptr<Flight>> flights;
};

} // namespace tercet::rt
