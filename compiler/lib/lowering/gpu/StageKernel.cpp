// The stages around selection: weights, prologue over K and V, aggregation.
#include "StageKernel.h"

#include "mlir/IR/Verifier.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace tercet::compiler {

StageKernel::StageKernel(MLIRContext &context, const GpuProgram &program, StringRef name, ArrayRef<StringRef> items,
                         int64_t threads)
    : module((context.loadDialect<tkern::TkernDialect, arith::ArithDialect, scf::SCFDialect, math::MathDialect>(),
              ModuleOp::create(UnknownLoc::get(&context)))),
      b(*module, name, items), program(program) {
  b.kernel->setAttr(threadsAttribute, b.builder.getI64IntegerAttr(threads));
  b.kernel->setAttr(blocksAttribute, b.builder.getI64IntegerAttr(1)); // without it ptxas spills for more blocks
}

Type StageKernel::element() { return elementType(*b.builder.getContext(), program); }

void StageKernel::addTensor(SmallVectorImpl<Value> &inputs, StringRef name, int strides) {
  static constexpr const char *axes[] = {"_batch", "_head", "_row", "_col"};
  bool classes = name.starts_with("classes");
  inputs.push_back(b.pointer(classes ? b.builder.getI8Type() : element(), name, name));
  for (int axis = 0; axis < strides; ++axis)
    inputs.push_back(b.size(name.str() + axes[axis], name.str() + "." + std::to_string(axis)));
}

Value StageKernel::lastStride(const std::string &name, int axis) {
  std::string number = std::to_string(axis);
  Value stride = b.size(name + "_stride", name + "." + number), size = b.size(name + "_size", name + ".size" + number);
  Value single = b.make<arith::CmpIOp>("single", arith::CmpIPredicate::eq, size, b.constant(int64_t{1}));
  return b.make<arith::SelectOp>(name + "_step", single, b.constant(int64_t{0}), stride);
}

Value StageKernel::amount(StringRef name, const std::string &parameter, double otherwise) {
  return parameter.empty() ? b.constant(otherwise, name) : b.number(name, "param." + parameter);
}

Value StageKernel::whole(StringRef name, const std::string &parameter, int64_t otherwise) {
  return parameter.empty() ? b.constant(otherwise, name) : b.size(name, "param." + parameter);
}

SmallVector<Attribute> StageKernel::ordered(ArrayRef<Attribute> constants) {
  SmallVector<Attribute> all(constants);
  if (program.order)
    all.push_back(b.flag(true));
  return all;
}

std::string textOf(Attribute attribute) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  attribute.print(stream);
  return text;
}

GpuStage makeStage(std::string kernel, std::string stage, std::array<Expr, 3> grid, std::string schedule,
                   std::function<OwningOpRef<ModuleOp>()> lower) {
  GpuStage entry;
  entry.kernel = std::move(kernel);
  entry.stage = std::move(stage);
  entry.forms.push_back({std::move(schedule), std::move(grid), std::move(lower)});
  return entry;
}

GpuStage makeSums(std::string kernel, const GpuProgram &program, const Expr &rows, const Expr &lines,
                  const Expr &states, std::function<OwningOpRef<ModuleOp>()> lower) {
  int64_t columns = program.stateColumns();
  if (program.globalState())
    return makeStage(std::move(kernel), "aggregate", {ceildiv(columns, 512), sym("G"), 1}, "sum over blocks",
                     std::move(lower));
  GpuStage stage = program.isWide()
                       ? makeStage(std::move(kernel), "aggregate", {ceildiv(columns, 256), ceildiv(rows, 16), lines},
                                   "16 blocks x 256 columns, multiply-adds", std::move(lower))
                       : makeStage(std::move(kernel), "aggregate", {columns / 64, ceildiv(rows, 256), lines},
                                   "256 blocks x 64 columns, 3 slots", std::move(lower));
  stage.flops = lines * rows * states * (2 * columns);
  return stage;
}

OwningOpRef<ModuleOp> StageKernel::finish(int64_t sharedBytes) {
  b.finish(sharedBytes);
  TERCET_CHECK(succeeded(verify(*module)), "the GPU lowering builds kernels that verify");
  return std::move(module);
}

StateShape::StateShape(const GpuProgram &program, const CudaTarget &target)
    : StateShape(program.paddedHeadDim(), program.paddedValueDim(), program.stateBlock(), program.isWide(), target) {}

StateShape::StateShape(int64_t rows, int64_t values, int64_t block, bool isWide, const CudaTarget &target) {
  // A warp holds valueCols x (every fourth 16) rows in registers: at most 64 of them per thread.
  int64_t perWarp = (rows / 16 + 3) / 4;
  valueCols = 16;
  for (int64_t cols : {32, 48, 64})
    if (values % cols == 0 && cols * perWarp <= 128 && (cols == 32 || !isWide))
      valueCols = cols;
  auto bytes = [&](int64_t tokens) { return 4 * tokens * (rows + valueCols + (isWide ? 0 : 16)); };
  partTokens = 16;
  for (int64_t tokens : {32, 48, 80, 64})
    if (block % tokens == 0 && bytes(tokens) <= target.sharedBytes)
      partTokens = tokens;
  sharedBytes = std::max(bytes(partTokens), 32 * stageThreads);
}

// A backward takes no bias: there it is 0.
static OwningOpRef<ModuleOp> lowerPacking(MLIRContext &context, const GpuProgram &program, StringRef name,
                                          StringRef packed, std::pair<int, int> axes) {
  StageKernel kernel(context, program, name, {"row", "unused", "unused"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  Type f32 = b.builder.getF32Type();
  const std::string &weight = program.weight;
  const std::string bias = program.direction == Direction::backward ? "" : program.bias;
  auto ofBias = [&](StringRef name, StringRef property) {
    return bias.empty() ? b.constant(int64_t{0}, name) : b.size(name, bias + property.str());
  };
  SmallVector<Value> inputs = {b.item(0)};
  for (const std::string &name : {weight, bias}) // read as their dtypes say
    inputs.push_back(b.pointer(f32, name.empty() ? "no_bias" : name, name));
  inputs.push_back(b.size(weight + "_dtype", weight + ".dtype"));
  inputs.push_back(ofBias("bias_dtype", ".dtype"));
  inputs.push_back(b.size("w_row", weight + "." + std::to_string(axes.first)));
  inputs.push_back(b.size("w_col", weight + "." + std::to_string(axes.second)));
  inputs.push_back(ofBias("b_stride", ".0"));
  inputs.push_back(b.pointer(f32, "packed", packed));
  inputs.push_back(b.pointer(f32, "packed_bias", "@bias"));
  b.call("pack_weight", "weight",
         {b.integer(stageThreads), b.integer(program.valueDim), b.integer(program.paddedValueDim()),
          b.flag(!program.isWide())},
         inputs);
  return kernel.finish(0);
}

OwningOpRef<ModuleOp> lowerWeight(MLIRContext &context, const GpuProgram &program) {
  return lowerPacking(context, program, "pack_weight", "@weight", {0, 1});
}

OwningOpRef<ModuleOp> lowerTransposedWeight(MLIRContext &context, const GpuProgram &program) {
  return lowerPacking(context, program, "pack_transposed", "@weight_t", {1, 0});
}

OwningOpRef<ModuleOp> lowerPrologue(MLIRContext &context, const GpuProgram &program, const StateShape &shape) {
  StageKernel kernel(context, program, "prologue", {"block", "pair", "chunk"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  Type f32 = b.builder.getF32Type();
  SmallVector<Value> k, v, sizes;
  kernel.addTensor(k, "k", 3);
  if (program.linear || program.means())
    kernel.addTensor(v, "v", 3);
  sizes = {b.pointer(b.builder.getI32Type(), "k_len", program.countsOfKeys()), b.size("key_heads", "HKV"),
           b.size("keys", "M"), b.size("first_pair", "G0")};
  Value pairs = b.size("pairs", "G");
  bool scores = program.scoresMeans() && !program.ranksAhead();
  if (scores || program.means()) {
    auto pool = [&](int64_t cols, int64_t planes, ArrayRef<Value> tensor, Value means, Value rounded) {
      SmallVector<Value> inputs = {b.item(0), b.item(1), pairs};
      inputs.append(tensor.begin(), tensor.end());
      inputs.append(sizes);
      inputs.append({means, rounded});
      b.call("pool_keys", "pool",
             kernel.ordered({b.integer(stageThreads), kernel.elementAttribute(), b.integer(cols),
                             b.integer(program.blockK), b.integer(planes)}),
             inputs, /*shared=*/true);
    };
    Value none = program.means() ? b.pointer(f32, "no_means", "") : Value();
    Value means = b.pointer(f32, "mean_k", scores ? "@mean_k" : "");
    Value rounded = b.pointer(kernel.element(), "mean_k_rows", program.means() ? "@mean_k_rows" : "");
    Value roundedV = program.means() ? b.pointer(kernel.element(), "mean_v_rows", "@mean_v_rows") : Value();
    Value first = b.make<arith::CmpIOp>("pools", arith::CmpIPredicate::eq, b.item(2), b.constant(int64_t{0}));
    b.when(first, [&] {
      pool(program.headDim, program.meanPlanes(), k, means, rounded);
      if (program.means())
        pool(program.valueDim, program.meanValuePlanes(), v, none, roundedV);
    });
  }
  if (program.linear) {
    SmallVector<Value> inputs = {b.item(0), b.item(1), b.item(2), pairs};
    inputs.append(k);
    inputs.append(v);
    inputs.append(sizes);
    inputs.push_back(b.pointer(f32, "weight", program.weight.empty() ? "" : "@weight"));
    inputs.push_back(b.pointer(f32, "states", "@h"));
    SmallVector<Attribute> constants = {
        b.integer(stageThreads),     kernel.elementAttribute(),   b.integer(static_cast<int64_t>(program.featureMap)),
        b.integer(program.headDim),  b.integer(program.valueDim), b.integer(program.stateBlock()),
        b.integer(shape.partTokens), b.integer(shape.valueCols),  b.flag(!program.weight.empty()),
        b.integer(shape.sharedBytes)};
    if (program.direction == Direction::backward) { // without tiles, with centres
      constants.append({b.flag(false), b.flag(true)});
      inputs.push_back(b.pointer(f32, "centres", "@centres"));
    }
    b.call(program.isWide() ? "key_states_f32" : "key_states", program.isWide() ? "key_states_f32" : "key_states",
           kernel.ordered(constants), inputs, /*shared=*/true);
  }
  return kernel.finish(program.linear ? shape.sharedBytes : 32 * stageThreads);
}

// States and sums exchange their sides in a backward: the states of the query blocks of all heads of a pair are summed for its
// key blocks.
static OwningOpRef<ModuleOp> lowerSums(MLIRContext &context, const GpuProgram &program, bool forKeys) {
  bool once = program.globalState(), wide = program.isWide();
  StageKernel kernel(context, program, forKeys ? "aggregate_keys" : "aggregate",
                     {"tile", once ? "pair" : "part",
                      once      ? "unused"
                      : forKeys ? "pair"
                                : "member"},
                     256);
  GpuKernelBuilder &b = kernel.b;
  Type f32 = b.builder.getF32Type();
  auto blocks = [&](StringRef name, StringRef tokens, StringRef symbol, StringRef size, int64_t block) -> Value {
    return b.make<arith::CeilDivUIOp>(name, b.size(tokens, symbol), b.constant(block, size));
  };
  auto keyBlocks = [&] { return blocks("key_blocks", "keys", "M", "block_k", program.stateBlock()); };
  auto queryBlocks = [&] { return blocks("query_blocks", "rows", "N", "block_q", program.queryStateBlock()); };
  SmallVector<Value> inputs = {b.item(0), b.item(1)};
  Value pairs = b.size("pairs", "G");
  Value states = b.pointer(f32, "states", forKeys ? "@query_states" : "@h");
  Value sums = b.pointer(f32, "sums", forKeys ? "@key_states" : "@state");
  if (once) {
    Value summed = forKeys ? b.mul("summed", b.size("heads_per_key_head", "R"), queryBlocks()) : keyBlocks();
    inputs.append({pairs, summed, states, sums});
    b.call("total", "aggregate", {b.integer(256), b.integer(program.stateColumns()), b.flag(!wide)}, inputs);
    return kernel.finish(0);
  }
  inputs.push_back(b.item(2));
  if (!wide)
    inputs.push_back(pairs);
  Value share = b.size("heads_per_key_head", "R");
  if (forKeys)
    inputs.append({b.constant(int64_t{1}), keyBlocks(), b.mul("summed", share, queryBlocks())});
  else
    inputs.append({share, queryBlocks(), keyBlocks()});
  inputs.append({states, b.pointer(b.builder.getI32Type(), "bits", forKeys ? "@key_bits" : "@bits"), sums});
  if (wide) {
    b.call("aggregate_f32", "aggregate", {b.integer(256), b.integer(program.stateColumns())}, inputs);
    return kernel.finish(0);
  }
  constexpr int64_t slots = 3, bytes = slots * 2 * 64 * 72 * 2; // aggregate_bytes of the device library
  b.call("aggregate", "aggregate", {b.integer(program.stateColumns()), b.integer(slots), b.integer(bytes)}, inputs,
         /*shared=*/true);
  return kernel.finish(bytes);
}

OwningOpRef<ModuleOp> lowerAggregate(MLIRContext &context, const GpuProgram &program) {
  return lowerSums(context, program, /*forKeys=*/false);
}

OwningOpRef<ModuleOp> lowerAggregateKeys(MLIRContext &context, const GpuProgram &program) {
  return lowerSums(context, program, /*forKeys=*/true);
}

} // namespace tercet::compiler
