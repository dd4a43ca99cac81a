// Asynchronous effects: what an instruction starts and somebody else finishes, sooner or later.
#pragma once

#include "core/Random.h"
#include "tercet/sim/Launch.h"

#include <cstdint>
#include <functional>
#include <map>

namespace tercet::sim {

/// The effects that are on their way, of one cluster. Whoever waits for an effect lands it by its number; effects that
/// nobody can name (they complete an mbarrier) are landed by the scheduler when nothing else can run, in drawn order.
class Effects {
public:
  using Number = uint64_t;

  void reset(Landing mode, Random &drawn) {
    landing = mode;
    random = &drawn;
    pending.clear();
  }
  /// Posts an effect, or lands it at once if the launch says so.
  Number post(std::function<void()> effect) {
    Number number = nextNumber++;
    if (landing == Landing::atIssue || (landing == Landing::seeded && random->below(2)))
      effect();
    else
      pending.emplace(number, std::move(effect));
    return number;
  }
  /// Lands this effect unless it has.
  void land(Number number) {
    auto found = pending.find(number);
    if (found != pending.end())
      finish(found);
  }
  /// Lands a drawn one; false when none is on its way.
  bool landOne() {
    if (pending.empty())
      return false;
    auto chosen = pending.begin();
    std::advance(chosen, random->below(uint32_t(pending.size())));
    finish(chosen);
    return true;
  }
  void landAll() {
    while (landOne()) {
    }
  }

private:
  void finish(std::map<Number, std::function<void()>>::iterator which) {
    std::function<void()> effect = std::move(which->second);
    pending.erase(which);
    effect();
  }

  Landing landing = Landing::atIssue;
  Random *random = nullptr;
  Number nextNumber = 1;
  std::map<Number, std::function<void()>> pending;
};

} // namespace tercet::sim
