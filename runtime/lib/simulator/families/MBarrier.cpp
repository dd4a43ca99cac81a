// mbarrier: init, inval, arrive and arrive_drop, expect_tx, complete_tx, test_wait, try_wait, pending_count.
//
// A state is the phase's number with the arrivals that were missing. try_wait waits as long as it takes, so that a deadlock
// names the barrier; test_wait looks and goes on.
#include "core/AddressSpace.h"
#include "core/Cta.h"
#include "core/MBarriers.h"
#include "families/Families.h"
#include "families/SharedTarget.h"

#include <fmt/format.h>

namespace tercet::sim {

namespace {

constexpr int pendingBits = 20;

SharedTarget targetOf(Warp &warp, const Instruction &in, int lane) {
  SharedTarget target = sharedTarget({warp, in, lane}, in.space, warp.addressOf(in.address[0], lane));
  if (target.offset % MBarriers::bytesOfOne)
    Site{warp, in, lane}.fail(fmt::format("uses shared address {:#x} as an mbarrier, which is not a multiple of {}",
                                          target.offset, MBarriers::bytesOfOne));
  return target;
}

MBarrier &barrierAt(const Site &site, const SharedTarget &target) {
  MBarrier &barrier = target.barriers().at(site, target.cta->shared, target.offset);
  if (target.cta != &site.warp.cta && !barrier.visible)
    site.fail("uses an mbarrier of another CTA, which its maker has not published (fence.mbarrier_init)");
  return barrier;
}

void initialise(Warp &warp, const Instruction &in, Mask mask) {
  for (Mask rest = mask; rest; rest &= rest - 1) {
    int lane = firstLane(rest);
    SharedTarget target = targetOf(warp, in, lane);
    target.barriers().initialise({warp, in, lane}, target.cta->shared, target.offset, warp.word(in.from[0])[lane]);
  }
}

void invalidate(Warp &warp, const Instruction &in, Mask mask) {
  for (Mask rest = mask; rest; rest &= rest - 1) {
    SharedTarget target = targetOf(warp, in, firstLane(rest));
    target.barriers().invalidate({warp, in, firstLane(rest)}, target.offset);
  }
}

enum class Arrival : uint8_t { plain, expecting, partial };

// variant: Arrival. flag: the count is given (from[0]). flag2: arrive_drop. to: the state, where wanted.
void arrive(Warp &warp, const Instruction &in, Mask mask) {
  for (Mask rest = mask; rest; rest &= rest - 1) {
    int lane = firstLane(rest);
    Site site{warp, in, lane};
    SharedTarget target = targetOf(warp, in, lane);
    MBarrier &barrier = barrierAt(site, target);
    if (in.toCount)
      warp.wide(in.to[0])[lane] = barrier.phase << pendingBits | barrier.pending;
    uint64_t given = in.flag ? warp.word(in.from[0])[lane] : 1, count = given;
    if (Arrival(in.variant) == Arrival::expecting) {
      target.barriers().announce(site, barrier, given);
      count = 1;
    }
    if (Arrival(in.variant) == Arrival::partial && count >= barrier.pending)
      site.fail(fmt::format("arrives {} times and promises not to complete a phase that takes {} more", count,
                            barrier.pending));
    target.barriers().arrive(site, barrier, count, in.flag2);
  }
  if (uint32_t most = warp.cta.config().sleepAfterArrival)
    warp.yield(warp.cta.cluster().random.below(most + 1));
}

// flag: bytes come; else they are announced.
void countBytes(Warp &warp, const Instruction &in, Mask mask) {
  for (Mask rest = mask; rest; rest &= rest - 1) {
    int lane = firstLane(rest);
    Site site{warp, in, lane};
    SharedTarget target = targetOf(warp, in, lane);
    MBarrier &barrier = barrierAt(site, target);
    uint64_t bytes = warp.word(in.from[0])[lane];
    in.flag ? target.barriers().complete(site, barrier, bytes) : target.barriers().announce(site, barrier, bytes);
  }
}

// Whether the phase that the source names is over. flag: it is named by its parity, else by a state.
bool isOver(Warp &warp, const Instruction &in, int lane, const MBarrier &barrier) {
  if (in.flag)
    return (barrier.phase & 1) != (warp.word(in.from[0])[lane] & 1);
  return barrier.phase != warp.wide(in.from[0])[lane] >> pendingBits;
}

// a: offset | rank << 32; b: the phase that must be over.
bool hasAdvanced(const Warp &warp, const Wait &wait) {
  const MBarriers *barriers = warp.cta.cluster().cta(wait.a >> 32).state.find<MBarriers>();
  const MBarrier *barrier = barriers ? barriers->find(uint32_t(wait.a)) : nullptr;
  return !barrier || barrier->phase != wait.b;
}

std::string describe(const Warp &warp, const Wait &wait) {
  Cta &cta = warp.cta.cluster().cta(wait.a >> 32);
  const MBarriers *barriers = cta.state.find<MBarriers>();
  return fmt::format("for the mbarrier at shared address {:#x}{}, {}", uint32_t(wait.a),
                     &cta == &warp.cta ? "" : fmt::format(" of CTA {} of the cluster", cta.rank()),
                     barriers ? barriers->describe(uint32_t(wait.a)) : "which is none any more");
}

// flag2: try_wait, which waits when no lane's phase is over.
void wait(Warp &warp, const Instruction &in, Mask mask) {
  Mask over = 0;
  const MBarrier *first = nullptr;
  SharedTarget firstTarget;
  for (Mask rest = mask; rest; rest &= rest - 1) {
    int lane = firstLane(rest);
    SharedTarget target = targetOf(warp, in, lane);
    if (target.cta != &warp.cta)
      Site{warp, in, lane}.fail("waits at an mbarrier of another CTA");
    const MBarrier &barrier = barrierAt({warp, in, lane}, target);
    if (!first) {
      first = &barrier;
      firstTarget = target;
    }
    if (!isOver(warp, in, lane, barrier))
      continue;
    over |= Mask{1} << lane;
    if (Races *races = warp.cta.races())
      races->acquire(warp, barrier.completed);
  }
  if (!over && in.flag2)
    return warp.suspend(in, mask,
                        Wait{hasAdvanced, describe, firstTarget.offset | uint64_t{warp.cta.rank()} << 32, first->phase},
                        true);
  warp.setPredicate(in.to[0], mask, over);
  if (!over)
    warp.poll();
}

void pendingCount(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]);
  const uint64_t *state = warp.wide(in.from[0]);
  forLanes(mask, [=](int l) { to[l] = uint32_t(state[l]) & ((1u << pendingBits) - 1); });
}

void takeCommon(Decoding &d) {
  for (const char *order : {"relaxed", "acquire", "release"})
    d.take(order);
  for (const char *scope : {"cta", "cluster"})
    d.take(scope);
  d.in.space = Space::generic;
  for (const char *space : {"shared", "shared::cta", "shared::cluster"})
    if (d.take(space))
      d.in.space = Space::shared;
  if (!d.take("b64"))
    d.fail("is of .b64");
}

void decodeInitialise(Decoding &d) {
  takeCommon(d);
  d.expectOperands(2);
  d.address(0, 0, d.in.space);
  d.from(1, Type::u32);
  d.run(initialise);
}
void decodeInvalidate(Decoding &d) {
  takeCommon(d);
  d.expectOperands(1);
  d.address(0, 0, d.in.space);
  d.run(invalidate);
}
void decodeArrive(Decoding &d) {
  auto kind = d.takeOne<Arrival>({{"expect_tx", Arrival::expecting}, {"noComplete", Arrival::partial}}, Arrival::plain);
  takeCommon(d);
  // "_, [barrier]" or "state, [barrier]"; the result may be left out.
  size_t first = d.operands() && d.operand(0).kind != Operand::Kind::memory ? 1 : 0;
  d.expectOperands(first + (kind == Arrival::plain ? 1 : 2), first + 2);
  if (first && d.operand(0).name != "_")
    d.to(0, Type::b64);
  d.address(first, 0, d.in.space);
  d.in.flag = d.operands() == first + 2;
  if (d.in.flag)
    d.from(first + 1, Type::u32);
  d.in.variant = uint8_t(kind);
  d.countAs("mbarrier.arrive");
  d.run(arrive);
}
void decodeArriveDrop(Decoding &d) {
  decodeArrive(d);
  d.in.flag2 = true;
}
void decodeBytes(Decoding &d, bool come) {
  takeCommon(d);
  d.expectOperands(2);
  d.address(0, 0, d.in.space);
  d.from(1, Type::u32);
  d.in.flag = come;
  d.run(countBytes);
}
void decodeExpect(Decoding &d) { decodeBytes(d, false); }
void decodeComplete(Decoding &d) { decodeBytes(d, true); }
void decodeWait(Decoding &d, bool tries) {
  bool parity = d.take("parity");
  takeCommon(d);
  d.expectOperands(3, tries ? 4 : 3);
  d.to(0, Type::pred);
  d.address(1, 0, d.in.space);
  d.from(2, parity ? Type::u32 : Type::b64);
  if (d.operands() == 4)
    d.from(3, Type::u32);
  d.in.flag = parity;
  d.in.flag2 = tries;
  d.countAs("mbarrier.wait");
  d.run(wait);
}
void decodeTest(Decoding &d) { decodeWait(d, false); }
void decodeTry(Decoding &d) { decodeWait(d, true); }
void decodePending(Decoding &d) {
  if (!d.take("b64"))
    d.fail("is of .b64");
  d.expectOperands(2);
  d.to(0, Type::u32);
  d.from(1, Type::b64);
  d.run(pendingCount);
}

constexpr Rule rules[] = {
    {"mbarrier.init", decodeInitialise},       {"mbarrier.inval", decodeInvalidate},
    {"mbarrier.arrive", decodeArrive},         {"mbarrier.arrive_drop", decodeArriveDrop},
    {"mbarrier.expect_tx", decodeExpect},      {"mbarrier.complete_tx", decodeComplete},
    {"mbarrier.test_wait", decodeTest},        {"mbarrier.try_wait", decodeTry},
    {"mbarrier.pending_count", decodePending},
};

} // namespace

Rules mbarrierRules() { return rules; }

} // namespace tercet::sim
