#include "CpuPairScope.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

CpuPairScope::CpuPairScope(KernelBuilder &k, const PairOperands &operands) : k(k) {
  for (BlockArgument argument : operands.tables) {
    auto type = cast<ir::TableType>(argument.getType());
    TableView &view = tables[ir::argumentName(argument)];
    view.base = k.pointer(type.getElementType());
    for (size_t axis = 0; axis < type.getAxes().size(); ++axis)
      view.sizes.push_back(k.integer());
    for (size_t axis = 0; axis < type.getAxes().size(); ++axis)
      view.strides.push_back(k.integer());
  }
  for (ir::ParamOp param : operands.parameters)
    parameters[param.getName()] = param.getKind() == ir::ParamKind::Integer ? k.integer() : k.scalar();
}

Value CpuPairScope::parameter(OpBuilder &builder, ir::ParamOp param) {
  Location loc = k.location();
  if (!param.isStatic()) {
    Value given = parameters.lookup(param.getName());
    return given.getType().isF32() ? given : k.narrow(given);
  }
  if (param.getKind() == ir::ParamKind::Flag)
    return builder.create<arith::ConstantOp>(loc, builder.getBoolAttr(param.getFlag()));
  if (param.getKind() == ir::ParamKind::Integer)
    return builder.create<arith::ConstantOp>(loc, builder.getI32IntegerAttr(static_cast<int32_t>(param.getInteger())));
  return builder.create<arith::ConstantOp>(loc, builder.getF32FloatAttr(static_cast<float>(param.getFloat())));
}

Value CpuPairScope::extent(OpBuilder &, ir::Extent extent) {
  switch (extent) {
  case ir::Extent::Query:
    return k.narrow(validQ);
  case ir::Extent::Key:
    return k.narrow(validK);
  case ir::Extent::Head:
    return k.narrow(k.mul(headsKV, headsPerKV));
  case ir::Extent::KvHead:
    return k.narrow(headsKV);
  }
  llvm_unreachable("no other extent");
}
