// Branches, ends and pauses: bra, brx.idx, ret, exit, trap, nanosleep, griddepcontrol, prefetch.
#include "core/Control.h"

#include "core/Cta.h"
#include "families/Families.h"

#include <fmt/format.h>

namespace tercet::sim {

void executeExit(Warp &warp, const Instruction &in, Mask mask) {
  for (Handler check : warp.cta.kernel().atExit)
    check(warp, in, mask);
  warp.exitLanes(mask);
}

void executeBranch(Warp &warp, const Instruction &in, Mask mask) { warp.branch(mask, uint32_t(in.target)); }

namespace {

// Every lane goes where its index says: one branch per distinct target.
void branchIndexed(Warp &warp, const Instruction &in, Mask mask) {
  const std::vector<uint32_t> &targets = warp.cta.kernel().branchTables[size_t(in.target)];
  const uint32_t *index = warp.word(in.from[0]);
  while (mask) {
    int first = firstLane(mask);
    if (index[first] >= targets.size())
      Site{warp, in, first}.fail(fmt::format("takes branch {} of a table of {}", index[first], targets.size()));
    Mask same = 0;
    for (Mask rest = mask; rest; rest &= rest - 1)
      same |= Mask(index[firstLane(rest)] == index[first]) << firstLane(rest);
    warp.branch(same, targets[index[first]]);
    mask &= ~same;
  }
}

void branchUniform(Warp &warp, const Instruction &in, Mask mask) {
  if (mask != warp.group().mask)
    warp.fail(in, mask, "the lanes of a warp part at a branch that was promised to be uniform");
  warp.group().pc = uint32_t(in.target);
}

void trap(Warp &warp, const Instruction &in, Mask mask) { warp.fail(in, mask, "the kernel executes a trap"); }

void nothing(Warp &, const Instruction &, Mask) {}

void sleep(Warp &warp, const Instruction &, Mask) { warp.poll(); }

void decodeBranch(Decoding &d) {
  bool uniform = d.take("uni");
  d.expectOperands(1);
  d.in.hasLabel = true;
  // Without a guard every lane that is here takes it.
  d.run(uniform && d.in.guard >= 0 ? branchUniform : executeBranch);
}
void decodeBranchIndexed(Decoding &d) {
  d.take("uni");
  d.expectOperands(2);
  d.from(0, Type::u32);
  d.in.hasLabel = true;
  d.in.flag = true; // the label is the second operand, and names a table
  d.run(branchIndexed);
}
void decodeExit(Decoding &d) {
  d.take("uni");
  d.expectOperands(0);
  d.run(executeExit);
}
void decodeTrap(Decoding &d) {
  d.expectOperands(0);
  d.run(trap);
}
void decodeSleep(Decoding &d) {
  d.takeType();
  d.expectOperands(1);
  d.from(0, Type::u32);
  d.run(sleep);
}
void decodeMarker(Decoding &d) {
  d.expectOperands(0, 1);
  d.run(nothing);
}
void decodeGridDependency(Decoding &d) {
  // Launches are one after another here, so what a kernel waits for has been done.
  if (!d.take("wait") && !d.take("launch_dependents"))
    d.fail("is neither .wait nor .launch_dependents");
  d.expectOperands(0);
  d.run(nothing);
}
// Prefetches name memory and do nothing to it.
void decodePrefetch(Decoding &d) {
  d.take("global");
  d.take("L1");
  d.take("L2");
  d.take("L2::evict_last");
  d.take("L2::evict_normal");
  d.take("tensormap");
  d.take("param");
  d.take("const");
  d.expectOperands(1);
  d.address(0, 0, Space::generic);
  d.run(nothing);
}

// Policies of the L2 cache change no result; what the register holds is never looked at.
void makePolicy(Warp &warp, const Instruction &in, Mask mask) {
  uint64_t *to = warp.wide(in.to[0]);
  forLanes(mask, [=](int l) { to[l] = 0; });
}
void decodePolicy(Decoding &d) {
  if (!d.take("fractional"))
    d.fail("exists here as .fractional only");
  d.take("L2::evict_unchanged");
  d.takeHints();
  if (d.takeType() != Type::b64)
    d.fail("gives a .b64");
  d.expectOperands(1, 2);
  d.to(0, Type::b64);
  if (d.operands() == 2)
    d.from(1, Type::f32);
  d.run(makePolicy);
}

constexpr Rule rules[] = {
    {"bra", decodeBranch},
    {"brx.idx", decodeBranchIndexed},
    {"ret", decodeExit},
    {"exit", decodeExit},
    {"trap", decodeTrap},
    {"nanosleep", decodeSleep},
    {"pmevent", decodeMarker},
    {"griddepcontrol", decodeGridDependency},
    {"prefetch", decodePrefetch},
    {"prefetchu", decodePrefetch},
    {"createpolicy", decodePolicy},
};

} // namespace

Rules controlRules() { return rules; }

} // namespace tercet::sim
