#include "Interrupt.h"

#include <csignal>

namespace tercet::cli {
namespace {

std::atomic<bool> wasInterrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set in a signal handler");
void (*handlerBefore)(int) = SIG_DFL;

void onInterrupt(int) {
  wasInterrupted = true;
  std::signal(SIGINT, SIG_DFL);
}

} // namespace

Interrupt::Interrupt() {
  wasInterrupted = false;
  handlerBefore = std::signal(SIGINT, &onInterrupt);
}

Interrupt::~Interrupt() { std::signal(SIGINT, handlerBefore); }

const std::atomic<bool> &Interrupt::flag() const { return wasInterrupted; }

} // namespace tercet::cli
