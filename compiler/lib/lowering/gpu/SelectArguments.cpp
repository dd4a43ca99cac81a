// Arguments and constants of the kernels of selection.
#include "SelectArguments.h"

using namespace mlir;

namespace tercet::compiler {

ScoreSource scoreSourceOf(const GpuProgram &program) {
  switch (program.selection.scores) {
  case ScoreKind::given:
    return ScoreSource::table;
  case ScoreKind::sampled:
  case ScoreKind::compressed:
    return ScoreSource::workspace;
  case ScoreKind::pooled:
  case ScoreKind::none:
    break;
  }
  return ScoreSource::means;
}

ScoreRoom scoreRoomOf(const GpuProgram &program, ScoreSource source) {
  const int64_t cols = source == ScoreSource::means ? program.headDim : 0;
  return {cols, std::max<int64_t>(4 * rowsPerBlock * cols, 16)};
}

SampledShape::SampledShape(const GpuProgram &program) {
  auto groupsOf = [&](int64_t block, int64_t most) { // GroupTile of the device library
    int64_t perBlock = block / program.selection.stride, parts = (perBlock + most - 1) / most;
    int64_t blocks = perBlock < 64 ? 64 / perBlock : 1;
    return std::pair(blocks, (blocks * perBlock / parts + 15) / 16 * 16);
  };
  auto [blocks, rows] = groupsOf(program.blockQ, 128);
  int64_t cols = groupsOf(program.blockK, 64).second;
  queryBlocks = blocks;
  threads = 2 * rows;
  sharedBytes = 2 * (rows + cols) * (128 + 16);
}

PoolScoreShape::PoolScoreShape(const GpuProgram &program) {
  const int64_t most = 64, block = program.blockQ;
  queryBlocks = block < most ? most / block : 1;
  int64_t rows = std::min(queryBlocks * block, most);
  threads = 2 * rows;
  sharedBytes = 2 * (rows + 64) * (128 + 16);
}

int64_t countPasses(const Selection &selection) {
  constexpr int64_t keys = 4, rows = 4;
  switch (selection.keepRule) {
  case KeepRule::mass:
  case KeepRule::within:
  case KeepRule::percentile:
    return keys + keys + rows;
  case KeepRule::above:
  case KeepRule::relative:
    return 1 + keys + rows;
  case KeepRule::fraction:
  case KeepRule::count:
    break;
  }
  return keys + rows;
}

void SelectArguments::addScores(ScoreSource source) {
  bool means = source == ScoreSource::means;
  add({buffer("mean_q", f32(), means), buffer("mean_k", f32(), means),
       kernel.amount("scale", kernel.program.scale, kernel.program.defaultScale())});
  if (source != ScoreSource::table) {
    bool shares = source == ScoreSource::heads;
    add(b.pointer(f32(), "stored", means ? "" : shares ? "@shares" : "@scores"));
    for (int axis = 0; axis < 4; ++axis)
      add(b.constant(int64_t{0}));
    return;
  }
  const std::string &table = selection().table;
  add(b.pointer(f32(), table, table));
  const char *strides[] = {"table_batch", "table_head", "table_row"};
  for (auto [axis, name] : llvm::enumerate(strides))
    add(b.size(name, table + "." + std::to_string(axis)));
  add(kernel.lastStride(table, 3));
}

void SelectArguments::addSizes() {
  add({b.pointer(i32(), "q_len", "q_len"), b.pointer(i32(), "k_len", "k_len"), b.size("key_heads", "HKV"),
       b.size("heads_per_key_head", "R")});
  add({rows = b.size("rows", "N"), keys = b.size("keys", "M"), b.size("first_pair", "G0")});
}

void SelectArguments::addFacts() {
  bool guard = !selection().guard.empty();
  add({kernel.whole("sink", selection().sink, 0), buffer("rules", b.builder.getI8Type(), selection().hasRules()),
       buffer("alike_q", f32(), guard), buffer("alike_k", f32(), guard), kernel.amount("guard", selection().guard, 0)});
}

void SelectArguments::addAmounts() {
  constexpr int64_t unbounded = (int64_t{1} << 31) - 1;
  const std::string &budgets = selection().budgets;
  add({kernel.amount("keep", selection().keep, 0), kernel.amount("drop", selection().drop, 0),
       kernel.whole("min_keep", selection().minKeep, 1), kernel.whole("max_keep", selection().maxKeep, unbounded),
       b.pointer(f32(), "budgets", budgets), budgets.empty() ? b.constant(int64_t{0}) : kernel.lastStride(budgets, 0)});
}

void SelectArguments::addScopeHeads() {
  add(selection().scope == SelectScope::allHeads ? b.size("scope_heads", "H") : b.constant(int64_t{1}, "scope_heads"));
}

void SelectArguments::addOutputs() {
  bool fine = kernel.program.isFine(); // lists come after, of bits
  add({lists = buffer("lists", i32(), !fine), counts = buffer("counts", i32(), !fine),
       buffer("bits", i32(), fine || kernel.program.over != GpuLinearSet::none),
       fine ? buffer("cut_bits", i32()) : buffer("mean_bits", i32(), kernel.program.means())});
  if (kernel.program.direction == Direction::backward) { // it has the forward's map
    Value none = b.constant(int64_t{0}, "no_map");
    add({b.pointer(b.builder.getI8Type(), "classes_out", ""), none, none, none});
  } else {
    kernel.addTensor(inputs, "classes_out", 3);
  }
}

void SelectArguments::joinLists() {
  Value joined = buffer("super_lists", i32()), lengths = buffer("super_counts", i32());
  b.call("join_lists", "super_row",
         {b.integer(rowsPerBlock), b.integer(kernel.program.blockQ), b.integer(kernel.program.blockK)},
         {b.item(0), b.item(1), rows, keys, lists, counts, joined, lengths});
}

void SelectArguments::addRule(SmallVectorImpl<Attribute> &constants) const {
  constants.append({b.integer(static_cast<int64_t>(selection().keepRule)),
                    b.integer(static_cast<int64_t>(selection().countRule)), b.flag(selection().dropIsCount),
                    b.flag(selection().forcedCounts)});
}

void SelectArguments::addRowFacts(SmallVectorImpl<Attribute> &constants) const {
  constants.append({b.flag(selection().diagonal), b.flag(selection().hasRules()), b.flag(!selection().guard.empty()),
                    b.flag(selection().apart)});
}

} // namespace tercet::compiler
