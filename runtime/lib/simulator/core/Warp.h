// A warp: 32 lanes, their registers, and the groups of lanes that are at the same instruction.
//
// Registers are stored by register, lane after lane, so that a handler is a loop over 32 neighbours. Lanes that diverge form
// groups; the group with the smallest program counter runs, and groups that meet at one instruction become one. A group may
// be suspended: gathering (it has come to an instruction that other lanes must execute with it) or waiting (for a condition
// that somebody else brings about). A warp in which every group gathers is an error: a collective under divergence.
#pragma once

#include "core/Lanes.h"
#include "core/Program.h"
#include "core/RegisterWatch.h"
#include "core/StateSlots.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tercet::sim {

class Cta;
class Warp;

/// A condition that suspends a group. `describe` finishes the sentence "warp 3 waits ..." for a deadlock's report.
struct Wait {
  bool (*ready)(const Warp &, const Wait &) = nullptr;
  std::string (*describe)(const Warp &, const Wait &) = nullptr;
  uint64_t a = 0, b = 0;
  /// Called once, when the condition holds: what the warp acquires.
  void (*passed)(Warp &, const Wait &) = nullptr;
  uint32_t line = 0; ///< of the instruction, filled in by Warp::suspend
};

struct Group {
  uint32_t pc = 0;
  Mask mask = 0;
  bool gathering = false;
  Wait wait;

  bool canRun() const { return !gathering && !wait.ready; }
};

/// What a violation says besides its sentence.
struct Violation {
  std::string sentence;
  std::string instruction;
};

class Warp {
public:
  Warp(Cta &cta, uint32_t index);

  /// Starts at the first instruction: constants and special registers loaded, other registers poisoned.
  void start();
  /// Runs at most `turn` instructions; stops early when nothing can run, or after yield().
  void run(uint32_t turn);
  /// Clears waits whose condition holds; true if some group can run.
  bool wake();

  // Registers, for handlers.
  uint32_t *word(uint32_t slot) { return words.data() + slot; }
  uint64_t *wide(uint32_t slot) { return reinterpret_cast<uint64_t *>(words.data() + slot); }
  Mask &predicate(uint32_t slot) { return predicates[slot]; }
  void setPredicate(uint32_t slot, Mask mask, Mask value) {
    predicates[slot] = (predicates[slot] & ~mask) | (value & mask);
  }
  uint64_t addressOf(const Address &address, int lane) {
    if (address.wide)
      return wide(address.slot)[lane] + uint64_t(address.offset);
    return uint32_t(word(address.slot)[lane] + uint32_t(address.offset));
  }

  // Control, for handlers. The current group is the one that executes.
  Group &group() { return groups[current]; }
  /// The lanes of `mask` go to `target`, the rest of the group goes on.
  void branch(Mask mask, uint32_t target);
  void exitLanes(Mask mask);
  /// For collectives: true when all lanes of `needed` are in `mask`. Otherwise the lanes of `mask` are suspended at `in`
  /// until the others arrive, and the handler must return at once. Fails if one of `needed` has exited.
  bool gather(const Instruction &in, Mask mask, Mask needed);
  /// Suspends the current group (its lanes in `mask`) until the condition holds; then it goes on behind `in`, or at `in`
  /// again if `retry`.
  void suspend(const Instruction &in, Mask mask, Wait wait, bool retry);
  /// Ends the warp's turn after this instruction; it sleeps for so many turns.
  void yield(uint32_t turns = 0);
  /// As yield, and says that the warp has only looked whether something has happened: a turn without progress.
  void poll();
  bool polled() const { return onlyPolled; }
  [[noreturn]] void fail(const Instruction &in, Mask lanes, const std::string &sentence) const;

  bool finished() const { return alive == 0; }
  /// "warp 3 waits at line 120 for barrier 1", for every suspended group.
  std::string describeWaits() const;

  Cta &cta;
  const uint32_t index; ///< in its CTA
  Mask launched = 0;    ///< lanes that have a thread
  Mask alive = 0;
  uint64_t executed = 0;
  uint32_t sleeping = 0;          ///< turns to skip
  RegisterWatch *watch = nullptr; ///< sees every instruction that the warp executes, where a family asks for it
  StateSlots state;

private:
  void loadSpecials();
  /// After a change of groups: merges those that met, and picks the one to run.
  void regroup();
  [[noreturn]] void failGathering() const;

  std::vector<uint32_t> words;
  std::vector<Mask> predicates;
  std::vector<Group> groups;
  size_t current = 0;
  bool changed = false; ///< groups must be looked at again
  bool yielded = false;
  bool onlyPolled = false;
};

/// An instruction executed by a lane: where a violation is reported.
struct Site {
  Warp &warp;
  const Instruction &in;
  int lane;

  [[noreturn]] void fail(const std::string &sentence) const { warp.fail(in, Mask{1} << lane, sentence); }
};

} // namespace tercet::sim
