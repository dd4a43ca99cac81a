// The longest sequence of a warpgroup is kept from where its slowest warp is.
#include "families/Warpgroup.h"

#include <fmt/format.h>

#include <algorithm>

namespace tercet::sim {

void Lockstep::take(const Site &site, Step step, const char *what) {
  size_t number = site.warp.index / 4, place = site.warp.index % 4;
  if (groups.size() <= number)
    groups.resize(number + 1);
  Group &group = groups[number];
  uint64_t at = group.count[place]++ - group.first;
  if (at == group.steps.size()) {
    group.steps.push_back(step);
    for (size_t other = 0; other < 4; ++other) {
      size_t index = number * 4 + other;
      if (other != place && (index >= site.warp.cta.warps.size() || site.warp.cta.warps[index].finished()))
        site.fail(fmt::format("{} is executed by all four warps of a warpgroup; warp {} is not there", what, index));
    }
  } else if (!(group.steps[at] == step)) {
    const Instruction &other = site.warp.cta.kernel().code[group.steps[at].instruction];
    site.fail(fmt::format("the warps of a warpgroup execute different {}: another one went through line {}{}", what,
                          other.line, other.index == site.in.index ? " with other descriptors" : ""));
  }
  while (!group.steps.empty() && *std::min_element(group.count.begin(), group.count.end()) > group.first) {
    group.steps.pop_front();
    ++group.first;
  }
}

void Lockstep::checkEnd(const Site &site, const char *what) {
  size_t number = site.warp.index / 4;
  if (number >= groups.size())
    return;
  Group &group = groups[number];
  if (group.count[site.warp.index % 4] != group.first + group.steps.size())
    site.fail(fmt::format("exits without having executed all {} that other warps of its warpgroup did", what));
}

} // namespace tercet::sim
