// State that families keep with a warp, a CTA or a cluster, without the core knowing what it is.
#pragma once

#include <memory>
#include <utility>
#include <vector>

namespace tercet::sim {

/// One value per type, made at first use. `clear` forgets all of them, between one CTA and the next.
class StateSlots {
public:
  template <typename T> T &get() {
    for (auto &[key, value] : slots)
      if (key == &keyOf<T>)
        return *static_cast<T *>(value.get());
    slots.emplace_back(&keyOf<T>, std::make_shared<T>());
    return *static_cast<T *>(slots.back().second.get());
  }
  /// The value if there is one yet, else null.
  template <typename T> T *find() {
    for (auto &[key, value] : slots)
      if (key == &keyOf<T>)
        return static_cast<T *>(value.get());
    return nullptr;
  }
  void clear() { slots.clear(); }

private:
  template <typename T> static inline char keyOf = 0;
  std::vector<std::pair<const void *, std::shared_ptr<void>>> slots;
};

} // namespace tercet::sim
