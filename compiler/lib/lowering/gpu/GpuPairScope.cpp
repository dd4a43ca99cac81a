#include "GpuPairScope.h"

using namespace mlir;

namespace tercet::compiler {

TableView GpuPairScope::table(StringRef name, ir::TableType type) {
  auto [found, isNew] = tables.try_emplace(name);
  TableView &view = found->second;
  if (!isNew)
    return view;
  view.base = b.pointer(type.getElementType(), name, name);
  for (size_t axis = 0; axis < type.getAxes().size(); ++axis) {
    std::string number = std::to_string(axis);
    view.sizes.push_back(b.size((name + "_size" + number).str(), (name + ".size" + number).str()));
    view.strides.push_back(b.size((name + "_stride" + number).str(), (name + "." + number).str()));
  }
  return view;
}

Value GpuPairScope::buffer(StringRef name, Type element) {
  Value &known = buffers[name];
  if (!known)
    known = b.pointer(element, name, ("@" + name).str());
  return known;
}

void GpuPairScope::start(std::optional<PairRegion> &region, Region *body, unsigned first, Value batch, Value head,
                         arith::FastMathFlags flags) {
  region.reset();
  if (!body)
    return;
  region.emplace(*body, *this, flags);
  region->bind(first, batch);
  region->bind(first + 1, head);
  region->clone(b.builder);
}

Value GpuPairScope::scoreFactor(Value scale, double otherwise) {
  return scale ? b.make<arith::TruncFOp>("score_scale", b.builder.getF32Type(), scale).getResult()
               : b.constant(static_cast<float>(otherwise), "score_scale");
}

Value GpuPairScope::position(Value place, bool isKey) {
  Value places = isKey ? placesOfKeys : placesOfQueries;
  if (!places)
    return place;
  return orderEntry(isKey ? "key" : "query", isKey ? "order_k" : "order_q", place, places);
}

Value GpuPairScope::orderEntry(StringRef name, StringRef table, Value at, Value count) {
  Type i32 = b.builder.getI32Type();
  if (!batches)
    batches = b.size("batches", "B");
  return b.make<tkern::ElementOp>(name, i32, buffer(table, i32), ValueRange{orderBatch, at}, ValueRange{batches, count},
                                  ValueRange{count, b.constant(int64_t{1})});
}

GpuPairScope::Rows GpuPairScope::startHead(Value batch, bool isOrdered) {
  Type i32 = b.builder.getI32Type();
  Value queryLengths = b.pointer(i32, "q_len", "q_len"), keyLengths = b.pointer(i32, "k_len", "k_len");
  Value rows = b.size("rows", "N"), keys = b.size("keys", "M");
  liveRows = b.liveTokens("live_rows", queryLengths, batch, rows);
  liveKeys = b.liveTokens("live_keys", keyLengths, batch, keys);
  Rows walked = {rows, liveRows};
  if (isOrdered) // extents count tokens, sizes places
    startOrder(batch, rows, Value());
  return walked;
}

void GpuPairScope::startOrder(Value batch, Value ofQueries, Value ofKeys) {
  Type i32 = b.builder.getI32Type();
  orderBatch = narrow("batch_of_order", batch);
  placesOfQueries = ofQueries;
  placesOfKeys = ofKeys;
  liveRows = b.liveTokens("live_queries", b.pointer(i32, "given_q_len", (givenPrefix + "q_len").str()), batch,
                          b.size("queries", "tokens.q"));
  liveKeys = b.liveTokens("live_keys_given", b.pointer(i32, "given_k_len", (givenPrefix + "k_len").str()), batch,
                          b.size("keys_given", "tokens.k"));
}

// Parameters of a launch are f64 and i64.
Value GpuPairScope::parameter(OpBuilder &builder, ir::ParamOp param) {
  Location loc = param.getLoc();
  std::string name = param.getName().str();
  switch (param.getKind()) {
  case ir::ParamKind::Integer:
    if (param.isStatic())
      return builder.create<arith::ConstantOp>(loc,
                                               builder.getI32IntegerAttr(static_cast<int32_t>(param.getInteger())));
    return narrow(name, given(name, /*isInteger=*/true));
  case ir::ParamKind::Flag:
    return builder.create<arith::ConstantOp>(loc, builder.getBoolAttr(param.getFlag()));
  case ir::ParamKind::Float:
  case ir::ParamKind::Keyword: // the dialect's verifier refuses it
    break;
  }
  if (param.isStatic())
    return builder.create<arith::ConstantOp>(loc, builder.getF32FloatAttr(static_cast<float>(param.getFloat())));
  return b.make<arith::TruncFOp>(name, builder.getF32Type(), given(name, /*isInteger=*/false));
}

Value GpuPairScope::given(const std::string &name, bool isInteger) {
  Value &known = parameters[name];
  if (!known)
    known = isInteger ? b.size(name + "_given", "param." + name) : b.number(name + "_given", "param." + name);
  return known;
}

Value GpuPairScope::extent(OpBuilder &, ir::Extent extent) {
  auto argument = [&](Value &value, StringRef name, StringRef symbol) {
    if (!value)
      value = b.size(name, symbol);
    return narrow(name, value);
  };
  switch (extent) {
  case ir::Extent::Query:
    return narrow("queries", liveRows);
  case ir::Extent::Key:
    return narrow("keys", liveKeys);
  case ir::Extent::Head:
    return argument(heads, "heads", "H");
  case ir::Extent::KvHead:
    return argument(keyHeads, "kv_heads", "HKV");
  }
  llvm_unreachable("no other extent");
}

} // namespace tercet::compiler
