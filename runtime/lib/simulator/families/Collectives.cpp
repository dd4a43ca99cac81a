// What the lanes of a warp do together: shfl, vote, match, redux, elect, bar.warp.sync.
//
// Each names the lanes that take part; those that are here wait for the others (Warp::gather).
#include "core/Cta.h"
#include "families/Families.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace tercet::sim {

namespace {

// The lanes that the member mask (source `number`) names. Every lane must name the same set and be in it.
Mask members(Warp &warp, const Instruction &in, Mask mask, int number) {
  const uint32_t *word = warp.word(in.from[number]);
  Mask named = word[firstLane(mask)] & warp.launched;
  for (Mask rest = mask; rest; rest &= rest - 1) {
    int l = firstLane(rest);
    if ((word[l] & warp.launched) != named)
      Site{warp, in, l}.fail(
          fmt::format("names the lanes {:#010x}, while another lane here names {:#010x}", word[l], named));
    if (!(word[l] >> l & 1))
      Site{warp, in, l}.fail(fmt::format("names the lanes {:#010x}, without itself (lane {})", word[l], l));
  }
  return named;
}

enum class Direction : uint8_t { up, down, butterfly, index };

// variant: Direction. from: a, b, c, members. to: d, and the predicate if flag is set.
void shuffle(Warp &warp, const Instruction &in, Mask mask) {
  if (!warp.gather(in, mask, members(warp, in, mask, 3)))
    return;
  uint32_t value[warpLanes];
  std::memcpy(value, warp.word(in.from[0]), sizeof value);
  uint32_t *to = warp.word(in.to[0]), *b = warp.word(in.from[1]), *c = warp.word(in.from[2]);
  Mask inside = 0;
  for (Mask rest = mask; rest; rest &= rest - 1) {
    int l = firstLane(rest);
    int segment = int(c[l] >> 8 & 31), clamp = int(c[l] & 31);
    int least = l & segment, most = (l & segment) | (clamp & ~segment), from = l, step = int(b[l] & 31);
    bool valid = false;
    switch (Direction(in.variant)) {
    case Direction::up:
      from = l - step;
      valid = from >= most; // the clamp of .up is the lowest lane
      break;
    case Direction::down:
      from = l + step;
      valid = from <= most;
      break;
    case Direction::butterfly:
      from = l ^ step;
      valid = from <= most;
      break;
    case Direction::index:
      from = least | (step & ~segment);
      valid = from <= most;
      break;
    }
    if (!valid)
      from = l;
    if (!(mask >> from & 1))
      Site{warp, in, l}.fail(fmt::format("reads lane {}, which does not take part", from));
    to[l] = value[from];
    inside |= Mask(valid) << l;
  }
  if (in.flag)
    warp.setPredicate(in.to[1], mask, inside);
}

void decodeShuffle(Decoding &d) {
  auto direction = d.takeNeeded<Direction>(
      {{"up", Direction::up}, {"down", Direction::down}, {"bfly", Direction::butterfly}, {"idx", Direction::index}},
      "direction");
  if (d.takeType() != Type::b32)
    d.fail("takes .b32 only");
  d.expectOperands(5);
  const Operand &to = d.operand(0);
  d.in.flag = to.kind == Operand::Kind::pair;
  d.to(d.in.flag ? to.items[0] : to, Type::b32);
  if (d.in.flag)
    d.to(to.items[1], Type::pred);
  for (size_t i = 1; i < 5; ++i)
    d.from(i, Type::b32);
  d.in.variant = uint8_t(direction);
  d.run(shuffle);
}

enum class Vote : uint8_t { any, all, uniform, ballot };

// from: predicate, members. flag2: the predicate is negated.
void vote(Warp &warp, const Instruction &in, Mask mask) {
  if (!warp.gather(in, mask, members(warp, in, mask, 1)))
    return;
  Mask true_ = (in.flag2 ? ~warp.predicate(in.from[0]) : warp.predicate(in.from[0])) & mask;
  if (Vote(in.variant) == Vote::ballot) {
    uint32_t *to = warp.word(in.to[0]);
    forLanes(mask, [=](int l) { to[l] = true_; });
    return;
  }
  bool result = Vote(in.variant) == Vote::any   ? true_ != 0
                : Vote(in.variant) == Vote::all ? true_ == mask
                                                : true_ == 0 || true_ == mask;
  warp.setPredicate(in.to[0], mask, result ? allLanes : 0);
}

void decodeVote(Decoding &d) {
  auto kind = d.takeNeeded<Vote>(
      {{"any", Vote::any}, {"all", Vote::all}, {"uni", Vote::uniform}, {"ballot", Vote::ballot}}, "kind");
  Type type = d.takeType();
  if (type != (kind == Vote::ballot ? Type::b32 : Type::pred))
    d.fail(fmt::format("does not give a .{}", nameOf(type)));
  d.expectOperands(3);
  d.to(0, type);
  Operand source = d.operand(1);
  d.in.flag2 = source.negated;
  source.negated = false;
  d.from(source, Type::pred);
  d.from(2, Type::b32);
  d.in.variant = uint8_t(kind);
  d.run(vote);
}

// match.any: the lanes with the lane's value. match.all: all of them if they agree, else none. variant: all.
void match(Warp &warp, const Instruction &in, Mask mask) {
  if (!warp.gather(in, mask, members(warp, in, mask, 1)))
    return;
  bool wide = bytesOf(in.type) == 8;
  auto value = [&](int l) { return wide ? warp.wide(in.from[0])[l] : warp.word(in.from[0])[l]; };
  Mask same[warpLanes];
  for (Mask rest = mask; rest; rest &= rest - 1) {
    int l = firstLane(rest);
    same[l] = 0;
    for (Mask others = mask; others; others &= others - 1)
      same[l] |= Mask(value(firstLane(others)) == value(l)) << firstLane(others);
  }
  bool agree = same[firstLane(mask)] == mask;
  for (Mask rest = mask; rest; rest &= rest - 1) {
    int l = firstLane(rest);
    warp.word(in.to[0])[l] = !in.flag ? same[l] : agree ? mask : 0;
  }
  if (in.toCount > 1)
    warp.setPredicate(in.to[1], mask, agree ? allLanes : 0);
}

void decodeMatch(Decoding &d) {
  d.in.flag = d.takeNeeded<bool>({{"any", false}, {"all", true}}, "kind");
  if (!d.take("sync"))
    d.fail("exists as .sync only");
  d.in.type = d.takeType();
  d.expectOperands(3);
  const Operand &to = d.operand(0);
  d.to(to.kind == Operand::Kind::pair ? to.items[0] : to, Type::b32);
  if (to.kind == Operand::Kind::pair)
    d.to(to.items[1], Type::pred);
  d.from(1, d.in.type);
  d.from(2, Type::b32);
  d.run(match);
}

enum class Reduce : uint8_t { add, least, greatest, conjunction, disjunction, exclusive };

void reduce(Warp &warp, const Instruction &in, Mask mask) {
  if (!warp.gather(in, mask, members(warp, in, mask, 1)))
    return;
  const uint32_t *a = warp.word(in.from[0]);
  uint32_t result = a[firstLane(mask)];
  bool isSignedType = in.type == Type::s32;
  for (Mask rest = mask & (mask - 1); rest; rest &= rest - 1) {
    uint32_t x = a[firstLane(rest)];
    bool below = isSignedType ? int32_t(x) < int32_t(result) : x < result;
    switch (Reduce(in.variant)) {
    case Reduce::add:
      result += x;
      break;
    case Reduce::least:
      result = below ? x : result;
      break;
    case Reduce::greatest:
      result = below ? result : x;
      break;
    case Reduce::conjunction:
      result &= x;
      break;
    case Reduce::disjunction:
      result |= x;
      break;
    case Reduce::exclusive:
      result ^= x;
      break;
    }
  }
  uint32_t *to = warp.word(in.to[0]);
  forLanes(mask, [=](int l) { to[l] = result; });
}

void decodeReduce(Decoding &d) {
  d.in.variant = uint8_t(d.takeNeeded<Reduce>({{"add", Reduce::add},
                                               {"min", Reduce::least},
                                               {"max", Reduce::greatest},
                                               {"and", Reduce::conjunction},
                                               {"or", Reduce::disjunction},
                                               {"xor", Reduce::exclusive}},
                                              "operation"));
  d.in.type = d.takeType();
  if (d.in.type != Type::u32 && d.in.type != Type::s32 && d.in.type != Type::b32)
    d.fail(fmt::format("does not take .{}", nameOf(d.in.type)));
  d.expectOperands(3);
  d.to(0, Type::b32);
  d.from(1, Type::b32);
  d.from(2, Type::b32);
  d.run(reduce);
}

// d|p: the lowest lane of the members, and whether this is it.
void elect(Warp &warp, const Instruction &in, Mask mask) {
  if (!warp.gather(in, mask, members(warp, in, mask, 0)))
    return;
  int leader = firstLane(mask);
  uint32_t *to = warp.word(in.to[0]);
  forLanes(mask, [=](int l) { to[l] = uint32_t(leader); });
  warp.setPredicate(in.to[1], mask, Mask{1} << leader);
}

void decodeElect(Decoding &d) {
  d.expectOperands(2);
  const Operand &to = d.operand(0);
  if (to.kind != Operand::Kind::pair)
    d.fail("gives a lane and a predicate, d|p");
  d.to(to.items[0], Type::b32);
  d.to(to.items[1], Type::pred);
  d.from(1, Type::b32);
  d.run(elect);
}

void syncWarp(Warp &warp, const Instruction &in, Mask mask) {
  if (!warp.gather(in, mask, members(warp, in, mask, 0)))
    return;
  if (Races *races = warp.cta.races())
    races->synchronise(warp);
}

void decodeSyncWarp(Decoding &d) {
  d.expectOperands(1);
  d.from(0, Type::b32);
  d.countAs("bar.warp");
  d.run(syncWarp);
}

constexpr Rule rules[] = {
    {"shfl.sync", decodeShuffle}, {"vote.sync", decodeVote},   {"match", decodeMatch},
    {"redux.sync", decodeReduce}, {"elect.sync", decodeElect}, {"bar.warp.sync", decodeSyncWarp},
};

} // namespace

Rules collectiveRules() { return rules; }

} // namespace tercet::sim
