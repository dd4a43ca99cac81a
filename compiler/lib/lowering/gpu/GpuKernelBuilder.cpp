// GpuKernelBuilder: names, constants and the frame of a kernel.
#include "GpuKernelBuilder.h"

using namespace mlir;

namespace tercet::compiler {

Type elementType(MLIRContext &context, const GpuProgram &program) {
  Builder builder(&context);
  if (program.isWide())
    return builder.getF32Type();
  return program.dtype == DType::f16 ? Type(builder.getF16Type()) : Type(builder.getBF16Type());
}

GpuKernelBuilder::GpuKernelBuilder(ModuleOp module, StringRef kernelName, ArrayRef<StringRef> items)
    : builder(module.getContext()) {
  builder.setInsertionPointToEnd(module.getBody());
  kernel = builder.create<tkern::KernelOp>(at(""), builder.getStringAttr(kernelName));
  Block &entry = kernel.getBody().emplaceBlock();
  for (StringRef name : items)
    entry.addArgument(builder.getIndexType(), at(name));
  builder.setInsertionPointToEnd(&entry);
}

Location GpuKernelBuilder::at(StringRef name) {
  Location unknown = builder.getUnknownLoc();
  return name.empty() ? unknown : NameLoc::get(builder.getStringAttr(name), unknown);
}

Value GpuKernelBuilder::argument(Type type, StringRef name, StringRef symbol) {
  symbols.push_back(builder.getStringAttr(symbol));
  return kernel.getBody().front().addArgument(type, at(name));
}

Value GpuKernelBuilder::pointer(Type element, StringRef name, StringRef symbol) {
  return argument(tkern::PointerType::get(element), name, symbol);
}

Value GpuKernelBuilder::constant(TypedAttr value, StringRef name) {
  Value &known = constants[{value, builder.getStringAttr(name)}];
  if (!known) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&kernel.getBody().front());
    if (constants.size() > 1)
      builder.setInsertionPointAfterValue(std::prev(constants.end(), 2)->second);
    known = builder.create<arith::ConstantOp>(at(name), value);
  }
  return known;
}

Value GpuKernelBuilder::constant(int64_t value, StringRef name) { return constant(builder.getIndexAttr(value), name); }
Value GpuKernelBuilder::constant(float value, StringRef name) { return constant(builder.getF32FloatAttr(value), name); }
Value GpuKernelBuilder::constant(double value, StringRef name) {
  return constant(builder.getF64FloatAttr(value), name);
}

HeadPlace GpuKernelBuilder::placeHead(Value member) {
  Value headsPerKeyHead = size("heads_per_key_head", "R"), keyHeads = size("key_heads", "HKV");
  Value group = quotient("group", member, headsPerKeyHead);
  Value pair = add("pair", size("first_pair", "G0"), group);
  Value batch = quotient("batch", pair, keyHeads), keyHead = remainder("key_head", pair, keyHeads);
  Value share = remainder("share", member, headsPerKeyHead);
  return {group, batch, keyHead, add("head", mul("first_head", keyHead, headsPerKeyHead), share), headsPerKeyHead};
}

StridedTensor GpuKernelBuilder::tensor(Type element, StringRef name, StringRef symbol) {
  StridedTensor tensor;
  tensor.base = pointer(element, name, symbol);
  tensor.batchStride = size((name + "_batch").str(), (symbol + ".0").str());
  tensor.headStride = size((name + "_head").str(), (symbol + ".1").str());
  tensor.rowStride = size((name + "_row").str(), (symbol + ".2").str());
  return tensor;
}

Value GpuKernelBuilder::rowsOf(StringRef name, const StridedTensor &tensor, Value batch, Value head, int64_t cols) {
  std::string text = name.str();
  Value byBatch = mul(text + "_of_batch", batch, tensor.batchStride);
  Value byHead = mul(text + "_of_head", head, tensor.headStride);
  Value offset = add(text + "_offset", byBatch, byHead);
  Type element = cast<tkern::PointerType>(tensor.base.getType()).getElementType();
  Type type = view(ShapedType::kDynamic, cols, element, ShapedType::kDynamic, tkern::Space::Global);
  return make<tkern::ViewOp>(name, type, tensor.base, offset, tensor.rowStride);
}

Value GpuKernelBuilder::rowsFrom(StringRef name, Value base, Value first, int64_t cols) {
  Value offset = mul((name + "_offset").str(), first, constant(cols));
  Type element = cast<tkern::PointerType>(base.getType()).getElementType();
  Type type = view(ShapedType::kDynamic, cols, element, cols, tkern::Space::Global);
  return make<tkern::ViewOp>(name, type, base, offset, Value());
}

Value GpuKernelBuilder::planeRows(StringRef name, Value base, int64_t plane, Value pair, Value pairs, Value rowsOfPair,
                                  int64_t cols) {
  for (int64_t before = 0; before < plane; ++before)
    pair = add("pair_of_plane", pair, pairs);
  return rowsFrom(name, base, mul((name + "_first").str(), pair, rowsOfPair), cols);
}

Value GpuKernelBuilder::bufferRows(StringRef name, const std::string &buffer, Value row, int64_t cols) {
  return rowsFrom(name, pointer(builder.getF32Type(), buffer, "@" + buffer), row, cols);
}

Value GpuKernelBuilder::entryNumber(StringRef name, Value entry) {
  return make<arith::AndIOp>(name, entry, constant(int64_t{0x7fffffff}));
}

Value GpuKernelBuilder::entryIsPartial(StringRef name, Value entry) {
  return make<arith::CmpIOp>(name, arith::CmpIPredicate::slt, entry, constant(int64_t{0}));
}

Value GpuKernelBuilder::pooled(StringRef name, Value count, int64_t size) {
  return size > 1 ? make<arith::CeilDivUIOp>(name, count, constant(size)).getResult() : count;
}

Value GpuKernelBuilder::liveTokens(StringRef name, Value lengths, Value batch, Value tokens) {
  return compute(name, builder.getIndexType(), "live_tokens", "group", {}, {lengths, batch, tokens});
}

Value GpuKernelBuilder::tokensLeft(Value counts, Value firstCount, int64_t block, Value first) {
  Value size = constant(block), number = quotient("block_of_tokens", first, size);
  Value at = add("count_at", firstCount, number);
  Value count = make<tkern::ReadOp>("tokens_of_block", builder.getIndexType(), counts, at);
  return sub("tokens_left", add("end_of_tokens", mul("first_of_block", number, size), count), first);
}

Value GpuKernelBuilder::ring(StringRef name, tkern::RingType type, int64_t offset) {
  return make<tkern::RingOp>(name, type, builder.getI64IntegerAttr(offset), IntegerAttr(), /*numbered=*/false);
}

void GpuKernelBuilder::fill(Value ring, Value step, Value source, Value row, Value rows) {
  make<tkern::FillOp>("", ring, step, source, row, rows);
}

Value GpuKernelBuilder::wait(StringRef name, Value ring, Value step, int64_t later) {
  return make<tkern::WaitOp>(name, cast<tkern::RingType>(ring.getType()).getSlot(), ring, step, later);
}

Value GpuKernelBuilder::registers(StringRef name, int64_t rows, int64_t cols, float start) {
  Value values = make<tkern::ScratchOp>(name, view(rows, cols, builder.getF32Type(), cols, tkern::Space::Register));
  Value same = make<tkern::SplatOp>((name + "_start").str(), tile(rows, cols), constant(start));
  Value c0 = constant(int64_t{0});
  make<tkern::StoreOp>("", same, values, c0, c0, Value(), Value());
  return values;
}

void GpuKernelBuilder::call(StringRef callee, StringRef header, ArrayRef<Attribute> constants, ValueRange inputs,
                            bool shared) {
  make<tkern::CallOp>("", TypeRange(), builder.getStringAttr(callee), builder.getStringAttr(header),
                      builder.getArrayAttr(constants), shared ? builder.getUnitAttr() : UnitAttr(), inputs);
}

Value GpuKernelBuilder::compute(StringRef name, Type result, StringRef callee, StringRef header,
                                ArrayRef<Attribute> constants, ValueRange inputs) {
  return make<tkern::CallOp>(name, TypeRange(result), builder.getStringAttr(callee), builder.getStringAttr(header),
                             builder.getArrayAttr(constants), UnitAttr(), inputs)
      .getResult();
}

Value GpuKernelBuilder::choose(StringRef name, Value condition, llvm::function_ref<Value()> whenTrue,
                               llvm::function_ref<Value()> whenFalse) {
  OpBuilder::InsertionGuard guard(builder);
  auto branch = [&](llvm::function_ref<Value()> make) {
    return [this, make](OpBuilder &inside, Location loc) {
      builder.setInsertionPointToEnd(inside.getBlock());
      inside.create<scf::YieldOp>(loc, make());
    };
  };
  return builder.create<scf::IfOp>(at(name), condition, branch(whenTrue), branch(whenFalse)).getResult(0);
}

void GpuKernelBuilder::when(Value condition, llvm::function_ref<void()> body, llvm::function_ref<void()> otherwise) {
  auto branch = make<scf::IfOp>("", TypeRange(), condition, /*withElseRegion=*/static_cast<bool>(otherwise));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  body();
  if (otherwise) {
    builder.setInsertionPointToStart(branch.elseBlock());
    otherwise();
  }
}

Value GpuKernelBuilder::add(StringRef name, Value a, Value b) { return make<arith::AddIOp>(name, a, b); }
Value GpuKernelBuilder::sub(StringRef name, Value a, Value b) { return make<arith::SubIOp>(name, a, b); }
Value GpuKernelBuilder::mul(StringRef name, Value a, Value b) { return make<arith::MulIOp>(name, a, b); }
Value GpuKernelBuilder::quotient(StringRef name, Value a, Value b) { return make<arith::DivUIOp>(name, a, b); }
Value GpuKernelBuilder::remainder(StringRef name, Value a, Value b) { return make<arith::RemUIOp>(name, a, b); }

Value GpuKernelBuilder::map(StringRef name, tkern::TileType type, ValueRange inputs, ArrayRef<StringRef> elements,
                            llvm::function_ref<Value(ValueRange)> body) {
  auto op = make<tkern::MapOp>(name, type, inputs);
  Block &block = op.getBody().emplaceBlock();
  for (StringRef element : elements)
    block.addArgument(builder.getF32Type(), at(element));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(&block);
  Value result = body(block.getArguments());
  make<tkern::YieldOp>("", result);
  return op;
}

Value GpuKernelBuilder::mapPairs(StringRef name, Value tile, Value row, Value col,
                                 llvm::function_ref<Value(ValueRange)> body) {
  auto op = make<tkern::MapPairsOp>(name, tile, row, col);
  Block &block = op.getBody().emplaceBlock();
  block.addArgument(builder.getF32Type(), at("x"));
  block.addArgument(builder.getI32Type(), at("i"));
  block.addArgument(builder.getI32Type(), at("j"));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(&block);
  make<tkern::YieldOp>("", body(block.getArguments()));
  return op;
}

void GpuKernelBuilder::loop(StringRef name, Value count, llvm::function_ref<void(Value)> body) {
  auto op = make<scf::ForOp>("", constant(int64_t{0}), count, constant(int64_t{1}));
  op.getInductionVar().setLoc(at(name));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(op.getBody());
  body(op.getInductionVar());
}

Value GpuKernelBuilder::loopFrom(StringRef name, Value count, StringRef carried, Value start,
                                 llvm::function_ref<Value(Value, Value)> body) {
  auto op = make<scf::ForOp>("", constant(int64_t{0}), count, constant(int64_t{1}), ValueRange{start});
  op.getInductionVar().setLoc(at(name));
  Value number = op.getRegionIterArgs().front();
  number.setLoc(at(carried));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(op.getBody());
  make<scf::YieldOp>("", body(op.getInductionVar(), number));
  return op.getResult(0);
}

Type GpuKernelBuilder::tile(int64_t rows, int64_t cols) {
  return tkern::TileType::get(builder.getContext(), rows, cols);
}

tkern::ViewType GpuKernelBuilder::view(int64_t rows, int64_t cols, Type element, int64_t stride, tkern::Space space,
                                       tkern::Layout layout) {
  return tkern::ViewType::get(builder.getContext(), rows, cols, element, stride, space, layout);
}

tkern::KernelOp GpuKernelBuilder::finish(int64_t sharedBytes) {
  make<tkern::EndOp>("");
  kernel->setAttr(argumentsAttribute, builder.getArrayAttr(symbols));
  kernel->setAttr(sharedBytesAttribute, builder.getI64IntegerAttr(sharedBytes));
  return kernel;
}

} // namespace tercet::compiler
