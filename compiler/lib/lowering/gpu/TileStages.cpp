#include "TileStages.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

constexpr int64_t partPlaces = 64; ///< tile_part of the device library

/// A tensor and its copy: [B][heads][places][columns].
struct Tiled {
  std::string name;
  bool isKey, isInput, isWide; ///< isWide: of f32, whatever the dtype
  int64_t columns;
  bool isCounted() const { return name == "q" || name == "k"; } ///< its kernel counts the tokens of blocks, too
};

std::vector<Tiled> tiledTensors(const GpuProgram &program) {
  int64_t d = program.headDim, dv = program.valueDim;
  auto has = [&](auto what) { return llvm::any_of(program.attends, what); };
  std::vector<Tiled> tensors = {
      {"q", false, true, false, d}, {"k", true, true, false, d}, {"v", true, true, false, dv}};
  if (program.direction == Direction::backward) {
    tensors.push_back({"do", false, true, false, dv});
    if (!program.inBranches())
      tensors.insert(tensors.end(),
                     {{"o", false, true, true, dv}, {"lse", false, true, true, 1}, {"lse_rest", false, true, true, 1}});
    tensors.insert(tensors.end(),
                   {{"dq", false, false, false, d}, {"dk", true, false, false, d}, {"dv", true, false, false, dv}});
    return tensors;
  }
  tensors.push_back({"o", false, false, false, dv});
  if (has([](const AttendStage &stage) { return stage.storesLse; }))
    tensors.push_back({"lse", false, false, true, 1});
  if (has([](const AttendStage &stage) { return stage.storesWide; }))
    tensors.push_back({"o_wide", false, false, true, dv});
  if (has([](const AttendStage &stage) { return stage.storesRest; }))
    tensors.push_back({"lse_rest", false, false, true, 1});
  return tensors;
}

Type elementOf(MLIRContext &context, const GpuProgram &program, const Tiled &tensor) {
  return tensor.isWide ? Float32Type::get(&context) : elementType(context, program);
}

int64_t bytesOf(const GpuProgram &program, const Tiled &tensor) {
  return tensor.columns * (tensor.isWide ? 4 : static_cast<int64_t>(dtypeSize(program.dtype)));
}

Expr places(const GpuProgram &program, const Tiled &tensor) { return tensor.isKey ? program.keys() : program.rows(); }

/// The tile's sizes and where text lies, as template arguments.
void addShape(const GpuProgram &program, GpuKernelBuilder &b, SmallVectorImpl<Attribute> &constants) {
  TokenOrder order = program.order->sized([](const std::string &) { return 1; });
  for (int64_t size : order.tile)
    constants.push_back(b.integer(size));
  constants.push_back(b.integer(static_cast<int64_t>(order.text)));
}

/// The sizes of the grid.
void addGrid(const GpuProgram &program, GpuKernelBuilder &b, SmallVectorImpl<Value> &inputs) {
  for (size_t axis = program.order->grid.size(); axis < TokenOrder::axes; ++axis)
    inputs.push_back(b.constant(int64_t{1}));
  for (const std::string &name : program.order->grid)
    inputs.push_back(b.size(name, "param." + name));
}

OwningOpRef<ModuleOp> lowerTile(MLIRContext &context, const GpuProgram &program, const Tiled &tensor) {
  StageKernel kernel(context, program, "tile_" + tensor.name, {"part_of_batch", "head", "unused"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  Type element = elementOf(context, program, tensor);
  StridedTensor from = b.tensor(element, "from", tensor.name);
  SmallVector<Value> inputs = {b.item(0), b.item(1), from.base, from.batchStride, from.headStride, from.rowStride};
  inputs.push_back(b.pointer(element, "tiled", "@tiled_" + tensor.name));
  for (std::string table : {"counts_", "order_", "places_"})
    inputs.push_back(
        b.pointer(b.builder.getI32Type(), "tile_" + table, tensor.isCounted() ? "@" + table + tensor.name : ""));
  inputs.push_back(b.pointer(b.builder.getI32Type(), "lengths", tensor.isKey ? "k_len" : "q_len"));
  inputs.push_back(b.size("heads", tensor.isKey ? "HKV" : "H"));
  inputs.push_back(b.size("places", tensor.isKey ? "places.k" : "places.q"));
  inputs.push_back(b.size("tokens", tensor.isKey ? "M" : "N"));
  addGrid(program, b, inputs);
  SmallVector<Attribute> constants = {b.integer(stageThreads), TypeAttr::get(element), b.integer(tensor.columns)};
  addShape(program, b, constants);
  b.call("gather_rows", "token_order", constants, inputs);
  return kernel.finish(0);
}

/// All outputs of queries, or of keys.
OwningOpRef<ModuleOp> lowerUntile(MLIRContext &context, const GpuProgram &program, bool isKey) {
  StageKernel kernel(context, program, isKey ? "untile_keys" : "untile", {"part", "member", "unused"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  SmallVector<Value> sizes;
  for (auto [name, symbol] : {std::pair{"key_heads", "HKV"},
                              {"heads_per_key_head", isKey ? "" : "R"},
                              {"first_pair", "G0"},
                              {"places", isKey ? "places.k" : "places.q"},
                              {"tokens", isKey ? "M" : "N"}})
    sizes.push_back(*symbol ? b.size(name, symbol) : b.constant(int64_t{1}, name));
  sizes.push_back(b.pointer(b.builder.getI32Type(), "lengths", isKey ? "k_len" : "q_len"));
  addGrid(program, b, sizes);
  for (const Tiled &tensor : tiledTensors(program)) {
    if (tensor.isInput || tensor.isKey != isKey)
      continue;
    Type element = elementOf(context, program, tensor);
    StridedTensor to = b.tensor(element, tensor.name, tensor.name);
    SmallVector<Value> inputs = {
        b.item(0),   b.item(1),      b.pointer(element, "tiled_" + tensor.name, "@tiled_" + tensor.name),
        to.base,     to.batchStride, to.headStride,
        to.rowStride};
    inputs.append(sizes);
    SmallVector<Attribute> constants = {b.integer(stageThreads), TypeAttr::get(element), b.integer(tensor.columns)};
    addShape(program, b, constants);
    constants.push_back(b.flag(tensor.name == "lse"));
    b.call("scatter_rows", "token_order", constants, inputs);
  }
  return kernel.finish(0);
}

} // namespace

void addTileStages(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program) {
  for (const Tiled &tensor : tiledTensors(program)) {
    if (!tensor.isInput)
      continue;
    stages.push_back(
        makeStage("tile_" + tensor.name, "prologue",
                  {ceildiv(places(program, tensor), partPlaces) * sym("B"), sym(tensor.isKey ? "HKV" : "H"), 1},
                  "64 rows per block, a warp each",
                  [&context, &program, tensor] { return lowerTile(context, program, tensor); }));
    stages.back().once = stages.back().asGiven = true;
  }
}

void addUntileStages(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program) {
  auto add = [&](const char *kernel, const char *stage, const Expr &places, const Expr &owners, bool isKey) {
    stages.push_back(makeStage(kernel, stage, {ceildiv(places, partPlaces), owners, 1},
                               "64 rows per block, a warp each",
                               [&context, &program, isKey] { return lowerUntile(context, program, isKey); }));
    stages.back().asGiven = true;
  };
  bool isBackward = program.direction == Direction::backward;
  add("untile", isBackward ? "gradient" : "attend", program.rows(), sym("G") * sym("R"), /*isKey=*/false);
  if (isBackward)
    add("untile_keys", "gradient", program.keys(), sym("G"), /*isKey=*/true);
}

void addTileBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program) {
  for (const Tiled &tensor : tiledTensors(program))
    buffers.push_back({"tiled_" + tensor.name,
                       sym("B") * sym(tensor.isKey ? "HKV" : "H") * places(program, tensor) * bytesOf(program, tensor),
                       tensor.name + " in the order of tiles"});
  Expr ofBatches = sym("B") * 4;
  buffers.push_back({"counts_q", program.queryBlocks() * ofBatches, "how many tokens query blocks have"});
  buffers.push_back({"counts_k", program.keyBlocks() * ofBatches, "how many tokens key blocks have"});
  buffers.push_back({"order_q", program.rows() * ofBatches, "which query is at a place"});
  buffers.push_back({"order_k", program.keys() * ofBatches, "which key is at a place"});
  buffers.push_back({"places_q", ofBatches, "places of blocks that have a query"});
  buffers.push_back({"places_k", ofBatches, "places of blocks that have a key"});
}

std::optional<TiledSlot> tiledSlot(const GpuProgram &program, StringRef symbol) {
  if (symbol == "N" || symbol == "M")
    return TiledSlot{"", symbol == "N" ? program.rows() : program.keys()};
  if (symbol == "q_len" || symbol == "k_len")
    return TiledSlot{symbol == "q_len" ? "places_q" : "places_k", 0};
  auto [name, axis] = symbol.split('.');
  for (const Tiled &tensor : tiledTensors(program)) {
    if (name != tensor.name)
      continue;
    if (axis.empty())
      return TiledSlot{"tiled_" + name.str(), 0};
    Expr head = places(program, tensor) * tensor.columns;
    if (axis == "0")
      return TiledSlot{"", head * sym(tensor.isKey ? "HKV" : "H")};
    return TiledSlot{"", axis == "1" ? head : Expr(axis == "2" ? tensor.columns : 1)};
  }
  return {};
}

} // namespace tercet::compiler
