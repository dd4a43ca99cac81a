// One address stands for every tensor that is not there.
#include "CallShape.h"

namespace tercet::cli {

Tensor describeTensor(DType dtype, const std::vector<int64_t> &shape) {
  alignas(64) static char nothing[64];
  return Tensor::contiguous(nothing, dtype, shape);
}

Result<CallData> describeCall(const LoadedSpec &spec, const reference::Shape &given, DType dtype) {
  CallData call;
  reference::Shape shape = given;
  shape.parameters = spec.runtimeSettings;
  auto add = [&](const std::string &name, DType type, const std::vector<int64_t> &sizes) {
    call.arguments.tensors.emplace_back(name, describeTensor(type, sizes));
  };
  add("q", dtype, {shape.batch, shape.heads, shape.tokensQ, shape.headDim});
  add("k", dtype, {shape.batch, shape.headsKV, shape.tokensK, shape.headDim});
  add("v", dtype, {shape.batch, shape.headsKV, shape.tokensK, shape.valueDim});
  for (const reference::Branch &branch : spec.info.program.branches) {
    if (!branch.weight.empty())
      add(branch.weight, DType::f32, {shape.valueDim, shape.valueDim});
    if (!branch.bias.empty())
      add(branch.bias, DType::f32, {shape.valueDim});
  }
  for (const reference::Table &table : spec.info.program.tables)
    add(table.name, table.dtype, reference::tableShape(table, shape.forTables(spec.info.program)));
  call.arguments.parameters = spec.runtimeSettings;
  TERCET_TRY(call.sizes, reference::checkArguments(spec.info.program, call.arguments));
  add("o", dtype, {shape.batch, shape.heads, shape.tokensQ, shape.valueDim});
  return call;
}

} // namespace tercet::cli
