// Redraws one line at most ten times a second, by whichever thread finishes a step.
#include "Progress.h"

#include <fmt/format.h>

#include <cstdio>
#include <unistd.h>

namespace tercet::cli {

constexpr std::chrono::milliseconds appearsAfter{250}, redrawsAfter{100};
constexpr int barWidth = 40;

Progress::Progress(std::string label, int64_t total)
    : label(std::move(label)), total(total), isTerminal(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (isShown)
    fmt::print(stderr, "\r\033[K");
}

void Progress::advance(int64_t steps) {
  int64_t done = finished.fetch_add(steps) + steps;
  if (!isTerminal)
    return;
  std::unique_lock<std::mutex> lock(mutex, std::try_to_lock);
  Clock::time_point now = Clock::now();
  if (!lock.owns_lock() || now - begin < appearsAfter || now - drawn < redrawsAfter)
    return;
  drawn = now;
  draw(done);
}

void Progress::reach(int64_t steps, std::string what) {
  note = "  " + std::move(what);
  advance(steps - finished.load());
}

void Progress::draw(int64_t done) {
  isShown = true;
  double share = total > 0 ? std::min(1.0, static_cast<double>(done) / static_cast<double>(total)) : 0;
  double seconds = std::chrono::duration<double>(drawn - begin).count();
  int filled = static_cast<int>(share * barWidth);
  fmt::print(stderr, "\r\033[K{} [{:#<{}}{:.<{}}] {:3.0f} %  {:.0f} s left{}", label, "", filled, "", barWidth - filled,
             100 * share, share > 0 ? seconds / share - seconds : 0.0, note);
  std::fflush(stderr);
}

ParallelFor Progress::counting(ParallelFor inner) {
  return [this, inner = std::move(inner)](int64_t count, const WorkItem &body) {
    inner(count, [&](int64_t item, int worker) {
      body(item, worker);
      advance();
    });
  };
}

} // namespace tercet::cli
