// What a token order adds to a CPU plan: tables of tokens per block, made once per call, and slots for those that read them.
#include "CpuPlanWriter.h"

using namespace tercet;
using namespace tercet::compiler;

// The tables of queries, and of keys, whose text may be of another length.
void PlanWriter::addOrderTables() {
  if (!program.order)
    return;
  for (bool isKey : {false, true}) {
    Expr blocks = isKey ? TN : TM;
    int64_t block = isKey ? schedule.blockK : schedule.blockQ;
    addBuffer(isKey ? "order_k" : "order_q", sym("B") * blocks * block, "tokens of blocks under the token order");
    addBuffer(isKey ? "counts_k" : "counts_q", sym("B") * blocks, "how many tokens blocks have");
    addBuffer(isKey ? "places_k" : "places_q", sym("B"), "lengths in places");
    Slots slots;
    for (const std::vector<Expr> &sizes : {gridSizes(*program.order), tileSizes(*program.order)})
      for (const Expr &size : sizes)
        slots.push_back(integer(size));
    for (PlanSlot slot : Slots{integer(static_cast<int64_t>(program.order->text)), integer(sym(isKey ? "M" : "N")),
                               tensor(isKey ? "k_len" : "q_len"), integer(blocks), tokenOrder(isKey),
                               tokenCounts(isKey), lengthsOf(isKey)})
      slots.push_back(slot);
    plan.nodes.push_back(builtin("token_order", "prologue", blocks, sym("B"), slots));
  }
}

PlanNode PlanWriter::packAll() {
  Expr tilesOfPair = sym("G") * tilesOf(sym("M"));
  addBuffer("packed_all_k", tilesOfPair * (program.headDim * schedule.keyTile), "all keys as they lie, as f32 tiles");
  addBuffer("packed_all_v", tilesOfPair * (schedule.keyTile * schedule.valueDim), "all values as they lie");
  KeySource source = tokensOf(sym("G"), sym("G0"));
  source.tokens = sym("M");
  source.order = source.counts = null();
  source.lengths = tensor("k_len");
  return packKeys(source, {.packedK = buffer("packed_all_k"), .packedV = buffer("packed_all_v")});
}

PlanSlot PlanWriter::lengthsOf(bool isKey) const {
  return program.order ? buffer(isKey ? "places_k" : "places_q") : tensor(isKey ? "k_len" : "q_len");
}

PlanSlot PlanWriter::tokenOrder(bool isKey) { return program.order ? buffer(isKey ? "order_k" : "order_q") : null(); }

PlanSlot PlanWriter::tokenCounts(bool isKey) {
  return program.order ? buffer(isKey ? "counts_k" : "counts_q") : null();
}

// As BlockTokens expects them.
void PlanWriter::addOrder(Slots &slots, bool isKey) {
  if (!program.order)
    return;
  for (PlanSlot slot :
       Slots{tokenOrder(isKey), tokenOrder(isKey), tokenCounts(isKey), tensor(isKey ? "k_len" : "q_len"),
             integer(sym(isKey ? "M" : "N")), integer(isKey ? placesK : placesQ), integer(isKey ? TN : TM)})
    slots.push_back(slot);
}
