// Vector clocks (the FastTrack form: one last write, one last read, more readers only where they are unordered).
#include "core/Races.h"

#include "core/Cta.h"

#include <fmt/format.h>

#include <algorithm>

namespace tercet::sim {

Races::Races(Cluster &cluster) : cluster(cluster) {}

void Races::reset() {
  size_t warps = cluster.cta(0).warps.size();
  size_t agents = warps * cluster.size() + asyncAgents;
  clocks.assign(agents, Clock(2 * agents, 0)); // second half: what is fenced for other proxies
  for (size_t agent = 0; agent < agents; ++agent)
    clocks[agent][agent] = 1;
  shadows.resize(cluster.size());
  for (size_t rank = 0; rank < cluster.size(); ++rank) {
    shadows[rank].words.assign((cluster.cta(rank).shared.size() + 3) / 4, Word{});
    shadows[rank].readers.clear();
  }
}

uint32_t Races::agentOf(const Warp &warp) const {
  return uint32_t(warp.cta.rank() * warp.cta.warps.size()) + warp.index;
}

Races::Shadow &Races::shadowOf(const SharedMemory &memory) {
  for (size_t rank = 0; rank < cluster.size(); ++rank)
    if (&cluster.cta(rank).shared == &memory)
      return shadows[rank];
  return shadows[0];
}

Races::Access Races::access(const Site &site, uint32_t agent) const {
  return {uint16_t(agent), uint8_t(site.lane), clocks[agent][agent], site.in.line};
}

// f(word, mask of its bytes)
template <typename F> void Races::forWords(uint64_t offset, uint64_t count, F f) {
  for (uint64_t at = offset; at < offset + count;) {
    uint64_t end = std::min(offset + count, (at / 4 + 1) * 4);
    f(at / 4, uint8_t(((1u << (end - at)) - 1) << (at % 4)));
    at = end;
  }
}

bool Races::ordered(const Access &earlier, const Site &site, uint32_t agent) const {
  if (!earlier.clock)
    return true;
  if (earlier.agent == agent) // lanes of one warp: program order, or a __syncwarp since
    return earlier.lane == site.lane || earlier.clock < clocks[agent][agent];
  return earlier.clock <= clocks[agent][earlier.agent];
}

void Races::fail(const Site &site, const Access &earlier, const char *kinds, uint64_t offset) const {
  size_t warps = site.warp.cta.warps.size();
  std::string who = "an asynchronous copy";
  if (earlier.agent < warps * cluster.size()) {
    who = fmt::format("warp {} (lane {}, line {})", earlier.agent % warps, earlier.lane, earlier.line);
    if (cluster.size() > 1)
      who += fmt::format(" of CTA {} of the cluster", earlier.agent / warps);
  }
  bool sameWarp = earlier.agent == agentOf(site.warp);
  site.fail(fmt::format("data race: {} shared address {:#x}, which {} {}, with nothing in between that orders the two",
                        std::string_view(kinds).substr(0, std::string_view(kinds).find(' ')), offset,
                        sameWarp ? fmt::format("lane {} of the same warp (line {})", earlier.lane, earlier.line) : who,
                        std::string_view(kinds).substr(std::string_view(kinds).find(' ') + 1)));
}

void Races::checkReads(const Site &site, const Shadow &shadow, uint64_t index, uint32_t agent) const {
  const Word &word = shadow.words[index];
  if (!ordered(word.read, site, agent))
    fail(site, word.read, "writes read", index * 4);
  if (!word.manyReaders)
    return;
  for (const Access &reader : shadow.readers.at(index))
    if (!ordered(reader, site, agent))
      fail(site, reader, "writes read", index * 4);
}

void Races::read(const Site &site, SharedMemory &memory, uint64_t offset, uint64_t count) {
  Shadow &shadow = shadowOf(memory);
  uint32_t agent = agentOf(site.warp);
  Access now = access(site, agent);
  forWords(offset, count, [&](uint64_t index, uint8_t bytes) {
    Word &word = shadow.words[index];
    if ((word.writtenBytes & bytes) && !ordered(word.written, site, agent))
      fail(site, word.written, "reads wrote", index * 4);
    if (!word.read.clock || ordered(word.read, site, agent)) {
      // Readers that this one is ordered behind say nothing that it does not.
      word.read = now;
      return;
    }
    auto &others = shadow.readers[index];
    word.manyReaders = true;
    auto same = std::find_if(others.begin(), others.end(),
                             [&](const Access &a) { return a.agent == now.agent && a.lane == now.lane; });
    if (same != others.end())
      *same = now;
    else
      others.push_back(now);
  });
}

void Races::write(const Site &site, SharedMemory &memory, uint64_t offset, uint64_t count) {
  Shadow &shadow = shadowOf(memory);
  uint32_t agent = agentOf(site.warp);
  checkWrite(site, memory, offset, count);
  Access now = access(site, agent);
  forWords(offset, count, [&](uint64_t index, uint8_t bytes) {
    Word &word = shadow.words[index];
    bool sameWrite = word.written.agent == now.agent && word.written.clock == now.clock && !word.atomic;
    word.writtenBytes = sameWrite ? word.writtenBytes | bytes : bytes;
    word.written = now;
    word.atomic = false;
    word.read = {};
    if (word.manyReaders) {
      shadow.readers.erase(index);
      word.manyReaders = false;
    }
  });
}

void Races::checkWrite(const Site &site, SharedMemory &memory, uint64_t offset, uint64_t count) {
  const Shadow &shadow = shadowOf(memory);
  uint32_t agent = agentOf(site.warp);
  forWords(offset, count, [&](uint64_t index, uint8_t bytes) {
    const Word &word = shadow.words[index];
    if ((word.writtenBytes & bytes) && !ordered(word.written, site, agent))
      fail(site, word.written, "writes wrote", index * 4);
    checkReads(site, shadow, index, agent);
  });
}

void Races::update(const Site &site, SharedMemory &memory, uint64_t offset, uint64_t count) {
  Shadow &shadow = shadowOf(memory);
  uint32_t agent = agentOf(site.warp);
  Access now = access(site, agent);
  forWords(offset, count, [&](uint64_t index, uint8_t bytes) {
    Word &word = shadow.words[index];
    // Atomics do not race with each other.
    if (!word.atomic && (word.writtenBytes & bytes) && !ordered(word.written, site, agent))
      fail(site, word.written, "updates wrote", index * 4);
    checkReads(site, shadow, index, agent);
    word.writtenBytes |= bytes;
    word.written = now;
    word.atomic = true;
  });
}

void Races::join(Clock &into, const Clock &from) {
  if (into.size() < from.size())
    into.resize(from.size(), 0);
  for (size_t i = 0; i < from.size(); ++i)
    into[i] = std::max(into[i], from[i]);
}

void Races::release(Warp &warp, Clock &clock) {
  uint32_t agent = agentOf(warp);
  join(clock, clocks[agent]);
  ++clocks[agent][agent];
}

void Races::acquire(Warp &warp, const Clock &clock) {
  uint32_t agent = agentOf(warp);
  join(clocks[agent], clock);
  ++clocks[agent][agent];
}

void Races::synchronise(Warp &warp) {
  uint32_t agent = agentOf(warp);
  ++clocks[agent][agent];
}

void Races::fenceProxies(Warp &warp) {
  uint32_t agent = agentOf(warp);
  Clock &clock = clocks[agent];
  for (size_t other = 0; other < clocks.size(); ++other)
    clock[clocks.size() + other] = clock[other];
  ++clock[agent];
}

bool Races::fenced(const Warp &warp, Moment write) const {
  return clocks[agentOf(warp)][clocks.size() + write.agent] >= write.clock;
}

void Races::landed(uint32_t number, SharedMemory &memory, uint64_t offset, uint64_t count, Clock &clock) {
  Shadow &shadow = shadowOf(memory);
  uint32_t agent = uint32_t(clocks.size()) - asyncAgents + number % asyncAgents;
  uint32_t now = clocks[agent][agent]++;
  forWords(offset, count, [&](uint64_t index, uint8_t bytes) {
    Word &word = shadow.words[index];
    word.written = {uint16_t(agent), 0, now, 0};
    word.writtenBytes = bytes;
    word.atomic = false;
    word.read = {};
    word.manyReaders = false;
    shadow.readers.erase(index);
  });
  Clock seen(agent + 1, 0);
  seen[agent] = now;
  join(clock, seen);
}

} // namespace tercet::sim
