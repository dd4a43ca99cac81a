// fence.proxy and fence.mbarrier_init: what makes ordinary writes and new mbarriers known to asynchronous copies and
// products.
#include "core/Cta.h"
#include "core/MBarriers.h"
#include "core/Proxies.h"
#include "families/Families.h"

namespace tercet::sim {

namespace {

void fenceProxies(Warp &warp, const Instruction &, Mask) {
  warp.cta.state.get<Proxies>().fence(warp);
  warp.cta.state.get<MBarriers>().publish(warp.index);
}

void publishBarriers(Warp &warp, const Instruction &, Mask) { warp.cta.state.get<MBarriers>().publish(warp.index); }

void nothing(Warp &, const Instruction &, Mask) {}

// fence.proxy.async{.global | .shared::cta | .shared::cluster}. Without a space it covers all.
void decodeAsync(Decoding &d) {
  bool globalOnly = d.take("global");
  d.take("shared::cta");
  d.take("shared::cluster");
  d.expectOperands(0);
  Kernel::addOnce(d.kernel.atStart, &Proxies::attach);
  d.countAs("fence.proxy.async");
  d.run(globalOnly ? nothing : fenceProxies);
}

// Aliases of one address and updates of tensor maps in memory are not modelled: maps are parameters here.
void decodeOther(Decoding &d) {
  if (!d.take("alias"))
    d.fail("is neither .async nor .alias");
  d.expectOperands(0);
  d.run(nothing);
}

void decodeBarrierInit(Decoding &d) {
  if (!d.take("release") || !d.take("cluster"))
    d.fail("exists as .release.cluster");
  d.expectOperands(0);
  d.run(publishBarriers);
}

constexpr Rule rules[] = {
    {"fence.proxy.async", decodeAsync}, {"fence.proxy", decodeOther}, {"fence.mbarrier_init", decodeBarrierInit}};

} // namespace

Rules proxyFenceRules() { return rules; }

} // namespace tercet::sim
