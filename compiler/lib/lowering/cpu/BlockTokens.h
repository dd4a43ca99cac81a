// BlockTokens: where the tokens of a CPU kernel's blocks are. Kernels count in places, of which each block has as many as a whole
// one has tokens: a place is the position of a token, or under a token order what its table says (tercet/Builtins.h).
#pragma once

#include "KernelBuilder.h"
#include "Program.h"

namespace tercet::compiler {

class BlockTokens {
public:
  /// Under an order adds the slots that PlanWriter::addOrder writes. pooled: what the kernel has for tokens lies in no order
  /// of places: pools, one per block, or all tokens as they are.
  BlockTokens(KernelBuilder &k, const Program &program, bool pooled = false) : k(k) {
    if (!program.order)
      return;
    Value table = k.pointer(DType::i32);
    bits = k.pointer(DType::f32);
    counts = k.pointer(DType::i32);
    lengths = k.pointer(DType::i32);
    all = k.integer();
    places = k.integer();
    blocks = k.integer();
    if (!pooled)
      order = table;
  }

  /// Tables and lengths are those of a batch entry from here on; before, those of the first, and no length counts.
  void startBatch(Value batch) {
    if (!all)
      return;
    firstPlace = k.mul(batch, places);
    firstBlock = k.mul(batch, blocks);
    all = k.tokenCount(lengths, batch, all);
  }
  bool ordered() const { return static_cast<bool>(order); }
  /// How many tokens block `block` of `size` places has, where tokens end before place `valid`.
  Value count(Value block, int64_t size, Value valid) {
    if (ordered())
      return k.read(counts, firstBlock ? k.add(firstBlock, block) : block);
    Value left = k.sub(valid, k.mul(block, size));
    return k.max(k.min(left, k.index(size)), k.index(0));
  }
  /// The position of the token at a place; under an order below 0 where there is none, or none below the length
  /// (TokenOrderSlots).
  Value token(Value place) { return ordered() ? k.read(order, inTable(place)) : place; }
  /// How many tokens there are, of which `valid` are valid without an order.
  Value tokens(Value valid) { return all ? all : valid; }
  /// Under an order the positions of the tokens at `rows` x `cols` places from `place` on, one of the two being 1, as bits of f32.
  Value positions(Value place, int64_t rows, int64_t cols) {
    return k.load(k.view(bits, inTable(place), cols), k.index(0), rows, cols);
  }
  /// One of these positions, in a body over pairs.
  static Value position(mlir::OpBuilder &body, mlir::Location loc, Value bits) {
    return body.create<mlir::arith::BitcastOp>(loc, body.getI32Type(), bits);
  }
  /// The tokens of a head from place `first` on, as rows of a view that rowOf counts in.
  Value view(Value pointer, Value head, Value first, int64_t cols, Value stride) {
    return k.view(pointer, ordered() ? head : k.add(head, k.mul(first, stride)), cols, stride);
  }
  /// The row of the token `row` places behind `first`.
  Value rowOf(Value first, Value row) { return ordered() ? token(k.add(first, row)) : row; }

private:
  Value inTable(Value place) { return firstPlace ? k.add(firstPlace, place) : place; }

  KernelBuilder &k;
  Value order, bits, counts, lengths, all, places, blocks; ///< bits: order again, as tiles take it
  Value firstPlace, firstBlock;                            ///< of the batch entry
};

} // namespace tercet::compiler
