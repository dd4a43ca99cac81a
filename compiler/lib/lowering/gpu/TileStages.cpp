#include "TileStages.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

constexpr int64_t partPlaces = 64; ///< tile_part of the device library

/// A tensor and its copy: [B][heads][places][columns].
struct Tiled {
  const char *name;
  bool isKey, isInput;
  int64_t columns, bytes;
};

bool storesLse(const GpuProgram &program) {
  return llvm::any_of(program.attends, [](const AttendStage &stage) { return stage.storesLse; });
}

std::vector<Tiled> tiledTensors(const GpuProgram &program) {
  auto bytes = static_cast<int64_t>(dtypeSize(program.dtype));
  std::vector<Tiled> tensors = {{"q", false, true, program.headDim, bytes},
                                {"k", true, true, program.headDim, bytes},
                                {"v", true, true, program.valueDim, bytes},
                                {"o", false, false, program.valueDim, bytes}};
  if (storesLse(program))
    tensors.push_back({"lse", false, false, 1, 4});
  return tensors;
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
  std::string name = tensor.name;
  StageKernel kernel(context, program, "tile_" + name, {"part_of_batch", "head", "unused"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  SmallVector<Value> inputs = {b.item(0), b.item(1)};
  kernel.addTensor(inputs, name, 3);
  inputs.push_back(b.pointer(kernel.element(), "tiled", "@tiled_" + name));
  for (std::string table : {"counts_", "order_", "places_"})
    inputs.push_back(b.pointer(b.builder.getI32Type(), "tile_" + table, name == "v" ? "" : "@" + table + name));
  inputs.push_back(b.pointer(b.builder.getI32Type(), "lengths", tensor.isKey ? "k_len" : "q_len"));
  inputs.push_back(b.size("heads", tensor.isKey ? "HKV" : "H"));
  inputs.push_back(b.size("places", tensor.isKey ? "places.k" : "places.q"));
  inputs.push_back(b.size("tokens", tensor.isKey ? "M" : "N"));
  addGrid(program, b, inputs);
  SmallVector<Attribute> constants = {b.integer(stageThreads), kernel.elementAttribute(), b.integer(tensor.columns)};
  addShape(program, b, constants);
  b.call("gather_rows", "token_order", constants, inputs);
  return kernel.finish(0);
}

OwningOpRef<ModuleOp> lowerUntile(MLIRContext &context, const GpuProgram &program) {
  StageKernel kernel(context, program, "untile", {"part", "member", "unused"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  Type f32 = b.builder.getF32Type();
  SmallVector<Value> inputs = {b.item(0), b.item(1), b.pointer(kernel.element(), "tiled", "@tiled_o"),
                               b.pointer(f32, "tiled_lse", storesLse(program) ? "@tiled_lse" : "")};
  kernel.addTensor(inputs, "o", 3);
  inputs.push_back(b.pointer(f32, "lse", storesLse(program) ? "lse" : ""));
  for (const char *axis : {"0", "1", "2"})
    inputs.push_back(storesLse(program) ? b.size(std::string("lse_stride") + axis, std::string("lse.") + axis)
                                        : b.constant(int64_t{0}));
  for (auto [name, symbol] : {std::pair{"key_heads", "HKV"},
                              {"heads_per_key_head", "R"},
                              {"first_pair", "G0"},
                              {"places", "places.q"},
                              {"tokens", "N"}})
    inputs.push_back(b.size(name, symbol));
  inputs.push_back(b.pointer(b.builder.getI32Type(), "lengths", "q_len"));
  addGrid(program, b, inputs);
  SmallVector<Attribute> constants = {b.integer(stageThreads), kernel.elementAttribute(), b.integer(program.valueDim)};
  addShape(program, b, constants);
  constants.push_back(b.flag(storesLse(program)));
  b.call("scatter_rows", "token_order", constants, inputs);
  return kernel.finish(0);
}

} // namespace

void addTileStages(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program) {
  for (const Tiled &tensor : tiledTensors(program)) {
    if (!tensor.isInput)
      continue;
    stages.push_back(
        makeStage(std::string("tile_") + tensor.name, "prologue",
                  {ceildiv(places(program, tensor), partPlaces) * sym("B"), sym(tensor.isKey ? "HKV" : "H"), 1},
                  "64 rows per block, a warp each",
                  [&context, &program, tensor] { return lowerTile(context, program, tensor); }));
    stages.back().once = stages.back().asGiven = true;
  }
}

void addUntileStage(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program) {
  stages.push_back(makeStage("untile", "attend", {ceildiv(program.rows(), partPlaces), sym("G") * sym("R"), 1},
                             "64 rows per block, a warp each",
                             [&context, &program] { return lowerUntile(context, program); }));
  stages.back().asGiven = true;
}

void addTileBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program) {
  for (const Tiled &tensor : tiledTensors(program))
    buffers.push_back(
        {std::string("tiled_") + tensor.name,
         sym("B") * sym(tensor.isKey ? "HKV" : "H") * places(program, tensor) * (tensor.columns * tensor.bytes),
         std::string(tensor.name) + " in the order of tiles"});
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
