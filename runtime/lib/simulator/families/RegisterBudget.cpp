// setmaxnreg: warps give registers back to their CTA, and wait until there are enough of them.
//
// A CTA starts with as many registers per thread as its size leaves of the register file, as ptxas grants a kernel of a known
// block size (or the .maxnreg it states); what is over, and what is given back, goes into a pool.
#include "core/Cta.h"
#include "families/Families.h"
#include "families/Warpgroup.h"

#include <fmt/format.h>

#include <algorithm>

namespace tercet::sim {

namespace {

constexpr uint32_t fileRegisters = 65536, mostPerThread = 255, leastCount = 24, mostCount = 256;

struct BudgetSequence : Lockstep {};
constexpr const char *sequenceName = "setmaxnreg";

struct RegisterPool {
  bool started = false;
  uint32_t free = 0;
  std::vector<uint32_t> perThread; ///< of each warp
};

RegisterPool &poolOf(Cta &cta) {
  RegisterPool &pool = cta.state.get<RegisterPool>();
  if (!pool.started) {
    uint32_t warps = uint32_t(cta.warps.size()), share = std::min(mostPerThread, fileRegisters / (warps * warpLanes));
    share = share / 8 * 8;
    pool.started = true;
    pool.perThread.assign(warps, share);
    pool.free = fileRegisters - share * warps * warpLanes;
  }
  return pool;
}

bool isFree(const Warp &warp, const Wait &wait) {
  return const_cast<Warp &>(warp).cta.state.get<RegisterPool>().free >= wait.a;
}
std::string describe(const Warp &warp, const Wait &wait) {
  return fmt::format("for {} registers of its multiprocessor (setmaxnreg), where {} are free", wait.a,
                     const_cast<Warp &>(warp).cta.state.get<RegisterPool>().free);
}

// immediate: registers per thread. flag: takes more, else gives back.
void change(Warp &warp, const Instruction &in, Mask mask) {
  if (!warp.gather(in, mask, allLanes))
    return;
  Site site{warp, in, firstLane(mask)};
  RegisterPool &pool = poolOf(warp.cta);
  uint32_t &own = pool.perThread[warp.index], count = uint32_t(in.immediate);
  if (in.flag ? count < own : count > own)
    site.fail(fmt::format("{} to {} registers per thread from {}", in.flag ? "increases" : "decreases", count, own));
  uint32_t more = in.flag ? (count - own) * warpLanes : 0;
  if (more > pool.free)
    return warp.suspend(in, mask, Wait{isFree, describe, more}, true);
  warp.cta.state.get<BudgetSequence>().take(site, {in.index, count, 0}, sequenceName);
  pool.free += (own - count) * warpLanes;
  own = count;
}

void checkExit(Warp &warp, const Instruction &in, Mask mask) {
  warp.cta.state.get<BudgetSequence>().checkEnd({warp, in, firstLane(mask)}, sequenceName);
}

void decode(Decoding &d) {
  bool increases = d.take("inc");
  if (!increases && !d.take("dec"))
    d.fail("is neither .inc nor .dec");
  if (!d.take("sync") || !d.take("aligned") || !d.take("u32"))
    d.fail("exists as .sync.aligned.u32");
  d.expectOperands(1);
  d.in.immediate = d.immediate(0);
  if (d.in.immediate < leastCount || d.in.immediate > mostCount || d.in.immediate % 8)
    d.fail(fmt::format("takes a multiple of 8 from {} to {}, not {}", leastCount, mostCount, d.in.immediate));
  d.in.flag = increases;
  Kernel::addOnce<Handler>(d.kernel.atExit, checkExit);
  d.run(change);
}

constexpr Rule rules[] = {{"setmaxnreg", decode}};

} // namespace

Rules registerBudgetRules() { return rules; }

} // namespace tercet::sim
