// Interrupt: Ctrl-C as a wish to stop, while one of these lives. A second one ends the program as ever.
#pragma once

#include <atomic>

namespace tercet::cli {

/// One at a time.
class Interrupt {
public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt &) = delete;
  Interrupt &operator=(const Interrupt &) = delete;

  /// True once the user asked to stop.
  const std::atomic<bool> &flag() const;
};

} // namespace tercet::cli
