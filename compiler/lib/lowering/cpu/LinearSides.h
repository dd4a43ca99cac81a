// LinearSides: the blocks of one side, queries or keys, in the argument block of a kernel of the linear branch's backward.
#pragma once

#include "CpuSchedule.h"
#include "KernelBuilder.h"

namespace tercet::compiler {

/// In slot order, behind the side's tokens.
struct LinearSides {
  LinearSides(KernelBuilder &k)
      : lengths(k.pointer(DType::i32)), headsKV(k.integer()), headsPerKV(k.integer()), tokens(k.integer()),
        firstPair(k.integer()), blocks(k.integer()), stateRows(k.integer()), slices(k.integer()),
        firstSlice(k.integer()), counts(k.pointer(DType::i32)) {}
  Value lengths, headsKV, headsPerKV, tokens, firstPair;
  Value blocks, stateRows;  ///< of a head, and rows of its sums of states: one per block, or one for all
  Value slices, firstSlice; ///< of the pass
  Value counts;             ///< sizes of the sets of blocks [gr][blocks]; null where there is one sum for all

  Value isFirstPass(KernelBuilder &k) const { return k.equal(firstSlice, k.index(0)); }
  Value isLastPass(KernelBuilder &k, const CpuSchedule &schedule) const {
    return k.equal(k.add(firstSlice, slices), k.index(schedule.slices()));
  }
  /// Whether a query head's block has states to sum.
  Value hasSet(KernelBuilder &k, const Program &program, Value owner, Value block) const {
    if (program.globalState())
      return k.equal(k.index(0), k.index(0));
    return k.notEqual(k.read(counts, k.add(k.mul(owner, blocks), block)), k.index(0));
  }
  Value stateRow(KernelBuilder &k, const Program &program, Value block) const {
    return program.globalState() ? k.index(0) : block;
  }
};

} // namespace tercet::compiler
