// KernelBuilder: see the header.
#include "KernelBuilder.h"

#include "mlir/IR/BuiltinOps.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

KernelBuilder::KernelBuilder(ModuleOp module, StringRef name)
    : builder(module.getContext()), loc(UnknownLoc::get(module.getContext())) {
  builder.setInsertionPointToEnd(module.getBody());
  op = builder.create<tkern::KernelOp>(loc, name);
  Block &body = op.getBody().emplaceBlock();
  for (int i = 0; i < 3; ++i)
    items.push_back(body.addArgument(builder.getIndexType(), loc));
  builder.setInsertionPointToStart(&body);
}

Value KernelBuilder::argument(Type type) { return op.getBody().front().addArgument(type, loc); }

Value KernelBuilder::scalar() {
  return builder.create<arith::TruncFOp>(loc, builder.getF32Type(), argument(builder.getF64Type()));
}

// Constants stand at the head of the kernel, so that loops do not repeat them.
Value KernelBuilder::index(int64_t value) {
  OpBuilder::InsertionGuard guard(builder);
  Block &entry = op.getBody().front();
  for (Operation &existing : entry)
    if (auto constant = dyn_cast<arith::ConstantIndexOp>(existing)) {
      if (constant.value() == value)
        return constant;
    } else if (!isa<arith::ConstantOp, tkern::ScratchOp>(existing)) {
      break;
    }
  builder.setInsertionPointToStart(&entry);
  return builder.create<arith::ConstantIndexOp>(loc, value);
}

Value KernelBuilder::real(double value) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&op.getBody().front());
  return builder.create<arith::ConstantOp>(loc, builder.getF32FloatAttr(static_cast<float>(value)));
}

void KernelBuilder::loop(Value from, Value to, int64_t step, function_ref<void(Value)> body) {
  loop(from, to, step, ValueRange(), [&](Value i, ValueRange) {
    body(i);
    return SmallVector<Value>();
  });
}

SmallVector<Value> KernelBuilder::loop(Value from, Value to, int64_t step, ValueRange carried,
                                       function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  Value stepValue = index(step);
  auto loop = builder.create<scf::ForOp>(loc, from, to, stepValue, carried);
  OpBuilder::InsertionGuard guard(builder);
  Block *block = loop.getBody();
  if (!carried.empty()) {
    builder.setInsertionPointToEnd(block);
    SmallVector<Value> next = body(loop.getInductionVar(), loop.getRegionIterArgs());
    builder.create<scf::YieldOp>(loc, next);
  } else {
    builder.setInsertionPoint(block->getTerminator());
    body(loop.getInductionVar(), ValueRange());
  }
  return SmallVector<Value>(loop.getResults());
}

void KernelBuilder::when(Value condition, function_ref<void()> then, function_ref<void()> otherwise) {
  auto branch = builder.create<scf::IfOp>(loc, condition, static_cast<bool>(otherwise));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(branch.thenBlock()->getTerminator());
  then();
  if (otherwise) {
    builder.setInsertionPoint(branch.elseBlock()->getTerminator());
    otherwise();
  }
}

Value KernelBuilder::choose(Type type, Value condition, function_ref<Value()> then, function_ref<Value()> otherwise) {
  auto branch = builder.create<scf::IfOp>(loc, TypeRange(type), condition, /*withElse=*/true);
  OpBuilder::InsertionGuard guard(builder);
  for (auto [block, body] : {std::pair{branch.thenBlock(), then}, {branch.elseBlock(), otherwise}}) {
    builder.setInsertionPointToStart(block);
    builder.create<scf::YieldOp>(loc, body());
  }
  return branch.getResult(0);
}

Value KernelBuilder::scratch(int64_t rows, int64_t cols) {
  OpBuilder::InsertionGuard guard(builder);
  Block &entry = op.getBody().front();
  builder.setInsertionPointToStart(&entry);
  return builder.create<tkern::ScratchOp>(
      loc, tkern::ViewType::get(builder.getContext(), rows, cols, builder.getF32Type(), cols, tkern::Space::Local));
}

Value KernelBuilder::view(Value pointer, Value offset, int64_t cols, Value stride) {
  auto type = cast<tkern::PointerType>(pointer.getType());
  return builder.create<tkern::ViewOp>(loc,
                                       tkern::ViewType::get(builder.getContext(), ShapedType::kDynamic, cols,
                                                            type.getElementType(), stride ? ShapedType::kDynamic : cols,
                                                            tkern::Space::Global),
                                       pointer, offset, stride);
}

Value KernelBuilder::subview(Value view, Value row, Value col) {
  auto type = cast<tkern::ViewType>(view.getType());
  auto moved = tkern::ViewType::get(builder.getContext(), ShapedType::kDynamic, type.getCols(), type.getElementType(),
                                    type.getStride(), type.getSpace());
  return builder.create<tkern::SubviewOp>(loc, moved, view, row, col ? col : index(0));
}

Value KernelBuilder::window(Value view, int64_t rows, int64_t cols) {
  auto type = cast<tkern::ViewType>(view.getType());
  auto part =
      tkern::ViewType::get(builder.getContext(), rows, cols, type.getElementType(), type.getStride(), type.getSpace());
  return builder.create<tkern::SubviewOp>(loc, part, view, index(0), index(0));
}

Value KernelBuilder::read(Value pointer, Value at) {
  Type element = cast<tkern::PointerType>(pointer.getType()).getElementType();
  Type result = element.isF32() ? Type(builder.getF32Type()) : Type(builder.getIndexType());
  return builder.create<tkern::ReadOp>(loc, result, pointer, at);
}

Value KernelBuilder::tokenCount(Value lengths, Value batch, Value tokens) {
  return choose(
      builder.getIndexType(), isNull(lengths), [&] { return tokens; }, [&] { return read(lengths, batch); });
}

Type KernelBuilder::elementType(DType dtype) {
  switch (dtype) {
  case DType::f32:
    return builder.getF32Type();
  case DType::f16:
    return builder.getF16Type();
  case DType::bf16:
    return builder.getBF16Type();
  case DType::f64:
    return builder.getF64Type();
  case DType::i32:
    return builder.getI32Type();
  case DType::i8:
    return builder.getI8Type();
  }
  return {};
}

Value KernelBuilder::load(Value view, Value row, int64_t tileRows, int64_t tileCols, Value col, Value rows, Value cols,
                          Value otherwise) {
  return builder.create<tkern::LoadOp>(loc, tkern::TileType::get(builder.getContext(), tileRows, tileCols), view, row,
                                       col ? col : index(0), rows, cols, otherwise);
}

void KernelBuilder::store(Value tile, Value view, Value row, Value col, Value rows, Value cols) {
  builder.create<tkern::StoreOp>(loc, tile, view, row, col ? col : index(0), rows, cols);
}

Value KernelBuilder::splat(Value value, int64_t rows, int64_t cols) {
  return builder.create<tkern::SplatOp>(loc, tkern::TileType::get(builder.getContext(), rows, cols), value);
}

Value KernelBuilder::repeatRows(Value row, int64_t rows) {
  int64_t cols = cast<tkern::TileType>(row.getType()).getCols();
  return map({row, splat(real(0), rows, cols)}, [](OpBuilder &, Location, ValueRange v) -> Value { return v[0]; });
}

Value KernelBuilder::scaled(Value wide, double factor) {
  Value constant = builder.create<arith::ConstantOp>(loc, builder.getF64FloatAttr(factor));
  Value exact = builder.create<arith::MulFOp>(loc, wide, constant);
  return builder.create<arith::TruncFOp>(loc, builder.getF32Type(), exact);
}

template <typename Product> static void lookAhead(Product product, Value view, int64_t elements) {
  if (!view)
    return;
  product.getAheadMutable().assign(view);
  product.setElements(elements);
}

Value KernelBuilder::matmul(Value a, Value b, Value init, int64_t depth, bool transposed, Value ahead,
                            int64_t elements) {
  auto product = builder.create<tkern::MatmulOp>(loc, a, b, init, depth, transposed);
  lookAhead(product, ahead, elements);
  return product;
}

void KernelBuilder::accumulate(Value p, Value b, Value acc, Value ahead, int64_t elements) {
  lookAhead(builder.create<tkern::AccumulateOp>(loc, p, b, acc), ahead, elements);
}

Value KernelBuilder::reduce(tkern::ReduceKind kind, Value tile) {
  int64_t rows = cast<tkern::TileType>(tile.getType()).getRows();
  return builder.create<tkern::ReduceOp>(loc, tkern::TileType::get(builder.getContext(), rows, 1), kind, tile);
}

Value KernelBuilder::map(ValueRange inputs, function_ref<Value(OpBuilder &, Location, ValueRange)> body) {
  int64_t rows = 1, cols = 1;
  for (Value input : inputs) {
    auto tile = cast<tkern::TileType>(input.getType());
    rows = std::max(rows, tile.getRows());
    cols = std::max(cols, tile.getCols());
  }
  auto map = builder.create<tkern::MapOp>(loc, tkern::TileType::get(builder.getContext(), rows, cols), inputs);
  OpBuilder::InsertionGuard guard(builder);
  Block &block = map.getBody().emplaceBlock();
  for (size_t i = 0; i < inputs.size(); ++i)
    block.addArgument(builder.getF32Type(), loc);
  builder.setInsertionPointToStart(&block);
  Value element = body(builder, loc, block.getArguments());
  builder.create<tkern::YieldOp>(loc, element);
  return map;
}

Value KernelBuilder::mapPairs(Value tile, Value row, Value col, ValueRange inputs,
                              function_ref<Value(OpBuilder &, Location, ValueRange)> body) {
  auto map = builder.create<tkern::MapPairsOp>(loc, tile.getType(), tile, row, col, inputs);
  OpBuilder::InsertionGuard guard(builder);
  Block &block = map.getBody().emplaceBlock();
  Type f32 = builder.getF32Type(), i32 = builder.getI32Type();
  SmallVector<Type> types{f32, i32, i32};
  types.append(inputs.size(), f32);
  block.addArguments(types, SmallVector<Location>(types.size(), loc));
  builder.setInsertionPointToStart(&block);
  Value element = body(builder, loc, block.getArguments());
  builder.create<tkern::YieldOp>(loc, element);
  return map;
}

Value KernelBuilder::softmaxStep(Value scores, Value max, Value sum, Value acc, float threshold) {
  auto step = builder.create<tkern::SoftmaxStepOp>(loc, scores, max, sum, acc);
  step.setThreshold(llvm::APFloat(threshold));
  return step;
}

void KernelBuilder::softmaxInPlace(Value scores, Value max, Value sum, Value acc, float threshold) {
  builder.create<tkern::SoftmaxInPlaceOp>(loc, scores, max, sum, acc).setThreshold(llvm::APFloat(threshold));
}

void KernelBuilder::end() { builder.create<tkern::EndOp>(loc); }
