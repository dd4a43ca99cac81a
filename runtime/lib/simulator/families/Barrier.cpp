// The named barriers of a CTA: bar.sync, bar.arrive, bar.red and their barrier.* forms, of which those without .aligned may be
// executed by lanes one by one.
#include "core/Cta.h"
#include "families/Families.h"

#include <fmt/format.h>

namespace tercet::sim {

namespace {

enum class Kind : uint8_t { sync, arrive, count, conjunction, disjunction };

bool generationPassed(const Warp &warp, const Wait &wait) { return warp.cta.barriers[wait.a].generation != wait.b; }

void acquire(Warp &warp, const Wait &wait) {
  if (Races *races = warp.cta.races())
    races->acquire(warp, warp.cta.barriers[wait.a].released);
}

std::string describe(const Warp &warp, const Wait &wait) {
  const Barriers::Barrier &barrier = warp.cta.barriers[wait.a];
  std::string needed =
      barrier.expected ? fmt::format("{}", barrier.expected) : fmt::format("all {} live", warp.cta.aliveThreads());
  return fmt::format("for barrier {}, where {} of {} threads are", wait.a, barrier.arrived, needed);
}

uint32_t uniform(Warp &warp, const Instruction &in, Mask mask, int number) {
  const uint32_t *word = warp.word(in.from[number]);
  for (Mask rest = mask; rest; rest &= rest - 1)
    if (word[firstLane(rest)] != word[firstLane(mask)])
      Site{warp, in, firstLane(rest)}.fail("the lanes of a warp name different barriers or counts");
  return word[firstLane(mask)];
}

// A reduction comes here twice: to arrive, and for its result.
struct Arrival {
  Mask lanes = 0;
};

// from: barrier, then the count if flag, then the predicate of a reduction (negated if flag2). variant2: aligned.
void barrier(Warp &warp, const Instruction &in, Mask mask) {
  if (in.variant2 && !warp.gather(in, mask, warp.alive))
    return;
  auto kind = Kind(in.variant);
  uint32_t id = uniform(warp, in, mask, 0), expected = in.flag ? uniform(warp, in, mask, 1) : 0;
  Site site{warp, in, firstLane(mask)};
  if (in.flag && expected == 0)
    site.fail(fmt::format("waits at barrier {} for 0 threads", id));
  bool reduces = kind >= Kind::count;
  Arrival &arrival = warp.state.get<Arrival>();
  if (reduces && (arrival.lanes & mask)) {
    arrival.lanes &= ~mask;
    const Barriers::Barrier &done = warp.cta.barriers[id];
    bool holds = kind == Kind::conjunction ? done.result == done.resultThreads : done.result > 0;
    if (kind != Kind::count)
      return warp.setPredicate(in.to[0], mask, holds ? allLanes : 0);
    uint32_t *to = warp.word(in.to[0]), result = done.result;
    return forLanes(mask, [=](int l) { to[l] = result; });
  }
  // A whole warp counts as 32 threads where the count is given, even if it has fewer.
  uint32_t threads = expected && mask == warp.alive ? uint32_t(warpLanes) : uint32_t(std::popcount(mask));
  Mask holding = 0;
  if (reduces) {
    Mask predicate = warp.predicate(in.from[in.flag ? 2 : 1]);
    holding = (in.flag2 ? ~predicate : predicate) & mask;
    arrival.lanes |= mask;
  }
  uint64_t generation = warp.cta.barriers.arrive(site, id, threads, expected, uint32_t(std::popcount(holding)));
  if (kind != Kind::arrive)
    warp.suspend(in, mask, Wait{generationPassed, describe, id, generation, acquire}, reduces);
}

void decodeForm(Decoding &d, bool aligned) {
  d.take("cta");
  auto kind = Kind::sync;
  if (d.take("arrive"))
    kind = Kind::arrive;
  else if (d.take("red"))
    kind =
        d.takeNeeded<Kind>({{"popc", Kind::count}, {"and", Kind::conjunction}, {"or", Kind::disjunction}}, "reduction");
  else if (!d.take("sync"))
    d.fail("is none of .sync, .arrive and .red");
  aligned |= d.take("aligned");
  bool reduces = kind >= Kind::count;
  if (reduces && d.takeType() != (kind == Kind::count ? Type::u32 : Type::pred))
    d.fail("gives another type");
  size_t first = reduces ? 1 : 0, last = d.operands() - (reduces ? 1 : 0);
  if (d.operands() < first + 1 + reduces || last - first > 2)
    d.fail(fmt::format("does not take {} operands", d.operands()));
  if (reduces)
    d.to(0, kind == Kind::count ? Type::u32 : Type::pred);
  d.from(first, Type::u32);
  d.in.flag = last - first == 2;
  if (d.in.flag)
    d.from(first + 1, Type::u32);
  if (kind == Kind::arrive && !d.in.flag)
    d.fail("needs a count of threads");
  if (reduces) {
    Operand source = d.operand(last);
    d.in.flag2 = source.negated;
    source.negated = false;
    d.from(source, Type::pred);
  }
  d.in.variant = uint8_t(kind);
  d.in.variant2 = aligned;
  d.countAs(kind == Kind::arrive ? "bar.arrive" : reduces ? "bar.red" : "bar.sync");
  d.run(barrier);
}

void decodeAligned(Decoding &d) { decodeForm(d, true); }
void decodeBarrier(Decoding &d) { decodeForm(d, false); }

constexpr Rule rules[] = {{"bar", decodeAligned}, {"barrier", decodeBarrier}};

} // namespace

Rules barrierRules() { return rules; }

} // namespace tercet::sim
