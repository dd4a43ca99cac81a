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

OwningOpRef<ModuleOp> StageKernel::finish(int64_t sharedBytes) {
  b.finish(sharedBytes);
  TERCET_CHECK(succeeded(verify(*module)), "the GPU lowering builds kernels that verify");
  return std::move(module);
}

StateShape::StateShape(const GpuProgram &program, const CudaTarget &target) {
  int64_t features = program.paddedHeadDim(), values = program.paddedValueDim();
  // A warp holds valueCols x (every fourth 16) features in registers: at most 64 of them per thread.
  int64_t perWarp = (features / 16 + 3) / 4;
  valueCols = 16;
  for (int64_t cols : {32, 48, 64})
    if (values % cols == 0 && cols * perWarp <= 128 && (cols == 32 || !program.isWide()))
      valueCols = cols;
  auto bytes = [&](int64_t tokens) {
    return program.isWide() ? 4 * tokens * (features + valueCols) : 4 * tokens * (features + valueCols + 16);
  };
  int64_t block = program.stateBlock();
  partTokens = 16;
  for (int64_t tokens : {32, 48, 80, 64})
    if (block % tokens == 0 && bytes(tokens) <= target.sharedBytes)
      partTokens = tokens;
  sharedBytes = std::max(bytes(partTokens), 32 * stageThreads);
}

OwningOpRef<ModuleOp> lowerWeight(MLIRContext &context, const GpuProgram &program) {
  StageKernel kernel(context, program, "pack_weight", {"row", "unused", "unused"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  Type f32 = b.builder.getF32Type();
  SmallVector<Value> inputs = {b.item(0)};
  for (const std::string &name : {program.weight, program.bias}) // read as their dtypes say
    inputs.push_back(b.pointer(f32, name, name));
  for (const std::string &name : {program.weight, program.bias})
    inputs.push_back(b.size(name + "_dtype", name + ".dtype"));
  inputs.push_back(b.size("w_row", program.weight + ".0"));
  inputs.push_back(b.size("w_col", program.weight + ".1"));
  inputs.push_back(b.size("b_stride", program.bias + ".0"));
  inputs.push_back(b.pointer(f32, "packed", "@weight"));
  inputs.push_back(b.pointer(f32, "packed_bias", "@bias"));
  b.call("pack_weight", "weight",
         {b.integer(stageThreads), b.integer(program.valueDim), b.integer(program.paddedValueDim()),
          b.flag(!program.isWide())},
         inputs);
  return kernel.finish(0);
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
        pool(program.valueDim, 1, v, none, roundedV);
    });
  }
  if (program.linear) {
    SmallVector<Value> inputs = {b.item(0), b.item(1), b.item(2), pairs};
    inputs.append(k);
    inputs.append(v);
    inputs.append(sizes);
    inputs.push_back(b.pointer(f32, "weight", program.weight.empty() ? "" : "@weight"));
    inputs.push_back(b.pointer(f32, "states", "@h"));
    b.call(program.isWide() ? "key_states_f32" : "key_states", program.isWide() ? "key_states_f32" : "key_states",
           kernel.ordered({b.integer(stageThreads), kernel.elementAttribute(),
                           b.integer(static_cast<int64_t>(program.featureMap)), b.integer(program.headDim),
                           b.integer(program.valueDim), b.integer(program.stateBlock()), b.integer(shape.partTokens),
                           b.integer(shape.valueCols), b.flag(!program.weight.empty()), b.integer(shape.sharedBytes)}),
           inputs, /*shared=*/true);
  }
  return kernel.finish(program.linear ? shape.sharedBytes : 32 * stageThreads);
}

OwningOpRef<ModuleOp> lowerAggregate(MLIRContext &context, const GpuProgram &program) {
  bool once = program.globalState(), wide = program.isWide();
  StageKernel kernel(context, program, "aggregate", {"tile", once ? "pair" : "part", once ? "unused" : "member"}, 256);
  GpuKernelBuilder &b = kernel.b;
  Type f32 = b.builder.getF32Type();
  SmallVector<Value> inputs = {b.item(0), b.item(1)};
  Value pairs = b.size("pairs", "G"), keys = b.size("keys", "M");
  Value keyBlocks = b.make<arith::CeilDivUIOp>("key_blocks", keys, b.constant(program.stateBlock(), "block_k"));
  if (once) {
    inputs.append({pairs, keyBlocks, b.pointer(f32, "states", "@h"), b.pointer(f32, "sums", "@state")});
    b.call("total", "aggregate", {b.integer(256), b.integer(program.stateColumns()), b.flag(!wide)}, inputs);
    return kernel.finish(0);
  }
  inputs.push_back(b.item(2));
  if (!wide)
    inputs.push_back(pairs);
  Value share = b.size("heads_per_key_head", "R"), rows = b.size("rows", "N");
  Value queryBlocks = b.make<arith::CeilDivUIOp>("query_blocks", rows, b.constant(program.blockQ, "block_q"));
  inputs.append({share, queryBlocks, keyBlocks, b.pointer(f32, "states", "@h"),
                 b.pointer(b.builder.getI32Type(), "bits", "@bits"), b.pointer(f32, "sums", "@state")});
  if (wide) {
    b.call("aggregate_f32", "aggregate", {b.integer(256), b.integer(program.stateColumns())}, inputs);
    return kernel.finish(0);
  }
  constexpr int64_t slots = 3, bytes = slots * 2 * 64 * 72 * 2; // aggregate_bytes of the device library
  b.call("aggregate", "aggregate", {b.integer(program.stateColumns()), b.integer(slots), b.integer(bytes)}, inputs,
         /*shared=*/true);
  return kernel.finish(bytes);
}

} // namespace tercet::compiler
