// membar and fence between threads: memory here is sequentially consistent, so they change nothing.
#include "core/Warp.h"
#include "families/Families.h"

namespace tercet::sim {

namespace {

void nothing(Warp &, const Instruction &, Mask) {}

void takeScope(Decoding &d) {
  for (const char *scope : {"cta", "cluster", "gpu", "sys", "gl"})
    if (d.take(scope))
      return;
  d.fail("has no scope");
}

void decodeMemoryBarrier(Decoding &d) {
  takeScope(d);
  d.expectOperands(0);
  d.run(nothing);
}

void decodeFence(Decoding &d) {
  for (const char *order : {"sc", "acq_rel", "acquire", "release"})
    if (d.take(order))
      break;
  takeScope(d);
  d.expectOperands(0);
  d.run(nothing);
}

constexpr Rule rules[] = {{"membar", decodeMemoryBarrier}, {"fence", decodeFence}};

} // namespace

Rules fenceRules() { return rules; }

} // namespace tercet::sim
