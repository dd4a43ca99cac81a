// The scheduler: warps take turns until all have ended. Asynchronous effects land when nobody can go on without them.
#include "core/Cta.h"

#include <fmt/format.h>

#include <algorithm>

namespace tercet::sim {

namespace {
constexpr uint32_t longTurn = 4096;
constexpr int idleRoundsOfDeadlock = 1000; // rounds in which every warp only polled
} // namespace

Cluster::Cluster(LaunchContext &context, Counters &counters) : context(context), counters(counters) {
  const auto &shape = context.config.cluster;
  for (uint32_t rank = 0; rank < shape[0] * shape[1] * shape[2]; ++rank)
    ctas.emplace_back(*this, rank);
  for (Cta &cta : ctas)
    for (Warp &warp : cta.warps)
      order.push_back(&warp);
  if (context.config.checks.races)
    races = std::make_unique<Races>(*this);
}

void Cluster::start(uint64_t number) {
  const auto &shape = context.config.cluster, &grid = context.config.grid;
  uint64_t columns = grid[0] / shape[0], rows = grid[1] / shape[1];
  std::array<uint64_t, 3> corner{number % columns * shape[0], number / columns % rows * shape[1],
                                 number / columns / rows * shape[2]};
  random = Random(context.config.seed * 0x2545f4914f6cdd1du + number);
  effects.reset(context.config.landing, random);
  state.clear();
  for (Cta &cta : ctas) {
    uint32_t rank = cta.rank();
    std::array<uint32_t, 3> id{uint32_t(corner[0] + rank % shape[0]), uint32_t(corner[1] + rank / shape[0] % shape[1]),
                               uint32_t(corner[2] + rank / shape[0] / shape[1])};
    cta.start(id, uint32_t((uint64_t{id[2]} * grid[1] + id[1]) * grid[0] + id[0]));
  }
  if (races) {
    races->reset();
    for (Cta &cta : ctas)
      cta.shared.observe(*races);
  }
  for (Cta &cta : ctas)
    for (Kernel::StartHook hook : context.kernel.atStart)
      hook(cta);
  counters.report.warps += order.size();
}

bool Cluster::round(uint64_t &executed, bool &finished) {
  const LaunchConfig &config = context.config;
  if (config.order == WarpOrder::seeded)
    for (size_t i = order.size(); i > 1; --i)
      std::swap(order[i - 1], order[random.below(uint32_t(i))]);
  bool progress = false;
  finished = true;
  for (Warp *warp : order) {
    if (warp->finished())
      continue;
    finished = false;
    if (warp->sleeping) {
      --warp->sleeping;
      progress = true;
      continue;
    }
    if (!warp->wake())
      continue;
    uint64_t before = warp->executed;
    warp->run(config.quantum ? 1 + random.below(config.quantum) : longTurn);
    executed += warp->executed - before;
    progress |= !warp->polled();
  }
  return progress;
}

void Cluster::run(uint64_t number) {
  start(number);
  uint64_t executed = 0;
  int idle = 0;
  for (bool finished = false;;) {
    bool progress = round(executed, finished);
    if (finished)
      break;
    if (executed > context.config.maxInstructions * ctas.size())
      failEndless(executed);
    if (progress)
      idle = 0;
    else if (effects.landOne())
      idle = 0;
    else if (++idle > idleRoundsOfDeadlock ||
             std::none_of(order.begin(), order.end(), [](Warp *w) { return w->polled(); }))
      failDeadlock();
  }
  effects.landAll();
}

void Cluster::failDeadlock() {
  std::string who;
  int listed = 0, more = 0;
  for (Warp *warp : order) {
    std::string waits = warp->finished() ? "" : warp->describeWaits();
    if (waits.empty())
      continue;
    if (listed++ < 12)
      who += fmt::format("{}{}{}", who.empty() ? "" : "; ",
                         ctas.size() > 1 ? fmt::format("CTA {} of the cluster, ", warp->cta.rank()) : "", waits);
    else
      ++more;
  }
  if (more)
    who += fmt::format("; and {} more warps", more);
  const auto &id = ctas.front().id();
  throw Violation{fmt::format("deadlock: {} (kernel {}, CTA ({}, {}, {}))", who.empty() ? "every warp polls" : who,
                              context.kernel.info.name, id[0], id[1], id[2]),
                  ""};
}

void Cluster::failEndless(uint64_t executed) {
  const auto &id = ctas.front().id();
  throw Violation{fmt::format("stopped after {} warp instructions (kernel {}, CTA ({}, {}, {}))", executed,
                              context.kernel.info.name, id[0], id[1], id[2]),
                  ""};
}

} // namespace tercet::sim
