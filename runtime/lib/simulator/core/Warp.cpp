// The interpreter's loop, and divergence.
#include "core/Warp.h"

#include "core/Cta.h"
#include "core/Specials.h"

#include <fmt/format.h>

#include <algorithm>

namespace tercet::sim {

Warp::Warp(Cta &cta, uint32_t index) : cta(cta), index(index) {
  words.resize(cta.kernel().words);
  predicates.resize(cta.kernel().predicates);
}

void Warp::start() {
  constexpr uint32_t poison = 0x7fc0dead; // a NaN, and far outside of any tensor as an index
  const Kernel &kernel = cta.kernel();
  std::fill(words.begin(), words.end(), poison);
  std::fill(predicates.begin(), predicates.end(), Mask{0});
  for (const Kernel::Constant &constant : kernel.constants) {
    if (constant.wide)
      std::fill_n(wide(constant.slot), warpLanes, constant.value);
    else
      std::fill_n(word(constant.slot), warpLanes, uint32_t(constant.value));
  }
  for (uint32_t slot : kernel.truePredicates)
    predicates[slot] = allLanes;
  for (const Kernel::SpecialSlot &special : kernel.specials)
    for (int lane = 0; lane < warpLanes; ++lane) {
      uint64_t value = specialValue(*this, special.special, lane);
      if (special.wide)
        wide(special.slot)[lane] = value;
      else
        word(special.slot)[lane] = uint32_t(value);
    }
  uint32_t threads = cta.threads() - index * warpLanes;
  launched = alive = threads >= uint32_t(warpLanes) ? allLanes : (Mask{1} << threads) - 1;
  groups.assign(1, Group{0, alive, false, {}});
  current = 0;
  changed = yielded = onlyPolled = false;
  executed = 0;
  sleeping = 0;
  watch = nullptr;
  state.clear();
}

void Warp::run(uint32_t turn) {
  const Instruction *code = cta.kernel().code.data();
  uint64_t *counts = cta.counters().executed.data();
  changed = true;
  yielded = onlyPolled = false;
  while (turn-- > 0) {
    if (changed) {
      regroup();
      if (current == groups.size())
        return;
    }
    Group &group = groups[current];
    const Instruction &in = code[group.pc];
    ++counts[group.pc];
    ++executed;
    ++group.pc;
    Mask mask = group.mask;
    if (in.guard >= 0)
      mask &= in.guardNegated ? ~predicates[uint32_t(in.guard)] : predicates[uint32_t(in.guard)];
    if (mask) {
      if (watch)
        watch->see(*this, in, mask);
      in.execute(*this, in, mask);
    }
    changed |= groups.size() > 1;
    if (yielded)
      return;
  }
}

bool Warp::wake() {
  bool any = false;
  for (Group &group : groups) {
    if (group.wait.ready && group.wait.ready(*this, group.wait)) {
      if (group.wait.passed)
        group.wait.passed(*this, group.wait);
      group.wait = {};
    }
    any |= group.canRun();
  }
  return any;
}

void Warp::regroup() {
  changed = false;
  std::erase_if(groups, [](const Group &group) { return group.mask == 0; });
  for (size_t i = 0; i < groups.size(); ++i)
    for (size_t j = groups.size(); j-- > i + 1;)
      if (groups[i].pc == groups[j].pc && !groups[i].wait.ready && !groups[j].wait.ready) {
        groups[i].mask |= groups[j].mask;
        groups[i].gathering &= groups[j].gathering;
        groups.erase(groups.begin() + ptrdiff_t(j));
      }
  current = groups.size();
  for (size_t i = 0; i < groups.size(); ++i)
    if (groups[i].canRun() && (current == groups.size() || groups[i].pc < groups[current].pc))
      current = i;
  if (current < groups.size() || groups.empty())
    return;
  if (std::all_of(groups.begin(), groups.end(), [](const Group &group) { return group.gathering; }))
    failGathering();
}

void Warp::branch(Mask mask, uint32_t target) {
  Group &group = groups[current];
  if (mask == group.mask) {
    group.pc = target;
    return;
  }
  group.mask &= ~mask;
  groups.push_back(Group{target, mask, false, {}});
  changed = true;
}

void Warp::exitLanes(Mask mask) {
  alive &= ~mask;
  groups[current].mask &= ~mask;
  changed = true;
  if (!alive)
    yielded = true;
  cta.threadsExited(std::popcount(mask));
}

bool Warp::gather(const Instruction &in, Mask mask, Mask needed) {
  if ((mask & needed) == needed)
    return true;
  if (Mask gone = needed & launched & ~alive)
    fail(in, gone,
         fmt::format("lanes {:#010x} of the warp must execute this together, but some of them have exited", needed));
  if (Mask missing = needed & ~launched)
    fail(in, missing,
         fmt::format("lanes {:#010x} of the warp must execute this together, but some of them have no thread", needed));
  Group &group = groups[current];
  group.mask &= ~mask;
  groups.push_back(Group{in.index, mask, true, {}});
  changed = true;
  return false;
}

void Warp::suspend(const Instruction &in, Mask mask, Wait wait, bool retry) {
  wait.line = in.line;
  Group &group = groups[current];
  group.mask &= ~mask;
  groups.push_back(Group{retry ? in.index : in.index + 1, mask, false, wait});
  changed = true;
}

void Warp::yield(uint32_t turns) {
  yielded = true;
  sleeping = turns;
}

void Warp::poll() { yielded = onlyPolled = true; }

void Warp::fail(const Instruction &in, Mask lanes, const std::string &sentence) const {
  uint32_t thread = index * warpLanes + uint32_t(lanes ? firstLane(lanes) : 0);
  const auto &id = cta.id();
  throw Violation{fmt::format("{} (kernel {}, line {}, CTA ({}, {}, {}), warp {}, thread {})", sentence,
                              cta.kernel().info.name, in.line, id[0], id[1], id[2], index, thread),
                  std::string(cta.program().textOf(in))};
}

void Warp::failGathering() const {
  std::string where;
  for (const Group &group : groups)
    where += fmt::format("{}lanes {:#010x} at line {}", where.empty() ? "" : ", ", group.mask,
                         cta.kernel().code[group.pc].line);
  const Group &first = groups.front();
  if (groups.size() == 1)
    fail(cta.kernel().code[first.pc], first.mask,
         fmt::format("lanes {:#010x} wait for lanes of their warp of which some have exited", first.mask));
  fail(cta.kernel().code[first.pc], first.mask,
       fmt::format("the lanes of a warp wait for each other at different instructions: {}", where));
}

std::string Warp::describeWaits() const {
  std::string text;
  for (const Group &group : groups) {
    uint32_t line = cta.kernel().code[group.pc].line;
    if (!text.empty())
      text += "; ";
    if (group.wait.describe)
      text += fmt::format("warp {} (lanes {:#010x}) waits at line {} {}", index, group.mask, group.wait.line,
                          group.wait.describe(*this, group.wait));
    else if (group.gathering)
      text += fmt::format("warp {} (lanes {:#010x}) waits at line {} for the other lanes", index, group.mask, line);
  }
  return text;
}

} // namespace tercet::sim
