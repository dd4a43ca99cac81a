// Tile ops and matrix products.
#include "KernelPrinter.h"

using namespace mlir;

namespace tercet::compiler {

using namespace tkern;

// f32 operands are multiplied by fused multiply-adds, others on matrix units.
static const char *productHeader(ViewType operand) {
  return operand.getElementType().isF32() ? "fma_product.cuh" : "warp_product.cuh";
}

bool KernelPrinter::printTile(Operation *op) {
  if (auto splat = dyn_cast<SplatOp>(op)) {
    use("tile.cuh");
    auto type = cast<TileType>(splat.getType());
    return define(splat, "same", typeOf(type),
                  fmt::format("splat<{}, {}>({})", type.getRows(), type.getCols(), ref(splat.getValue())));
  }
  if (auto map = dyn_cast<MapOp>(op))
    return printMap(map);
  if (auto reduce = dyn_cast<ReduceOp>(op)) {
    use("tile.cuh");
    return define(reduce, "reduced", typeOf(reduce.getType()),
                  fmt::format("reduce_{}({})", stringifyReduceKind(reduce.getKind()).str(), ref(reduce.getTile())));
  }
  if (auto mask = dyn_cast<MaskOp>(op)) {
    use("softmax.cuh");
    return define(mask, "masked", typeOf(mask.getType()),
                  fmt::format("mask_cols({}, {})", ref(mask.getTile()), ref(mask.getCols())));
  }
  auto step = dyn_cast<SoftmaxStepOp>(op);
  if (!step || step.getFirst())
    return false;
  use("softmax.cuh");
  return define(step, "p", typeOf(step.getType()),
                fmt::format("softmax_step({}, {}, {}, {}, {}f)", ref(step.getScores()), ref(step.getMax()),
                            ref(step.getSum()), ref(step.getAcc()),
                            fmt::format("{:.1f}", step.getThreshold().convertToFloat())));
}

// An element-wise body is a lambda: its ops are its statements.
void KernelPrinter::printLambda(Block &body, const std::string &head, const std::string &tail) {
  llvm::StringSet<> outside = taken;
  std::string parameters;
  for (BlockArgument argument : body.getArguments())
    parameters +=
        fmt::format("{}{} {}", parameters.empty() ? "" : ", ", typeOf(argument.getType()), declare(argument, "x"));
  CodeWriter::Scope scope = code.blockUntil(fmt::format("}}{};", tail), "{}[&]({}) {{", head, parameters);
  printBody(body);
  taken = std::move(outside);
}

bool KernelPrinter::printMap(MapOp map) {
  use("tile.cuh");
  TileType type = cast<TileType>(map.getType());
  std::string inputs, name = declare(map, "mapped");
  for (Value input : map.getInputs())
    inputs += ", " + ref(input);
  printLambda(map.getBody().front(),
              fmt::format("const {} {} = map<{}, {}>(", typeOf(type), name, type.getRows(), type.getCols()),
              inputs + ")");
  return true;
}

bool KernelPrinter::printProduct(Operation *op) {
  if (auto yield = dyn_cast<YieldOp>(op)) {
    code.line("return {};", ref(yield.getValue()));
    return true;
  }
  if (auto fetch = dyn_cast<FetchOp>(op)) {
    use(fetch.getSource().getType().getLayout() == Layout::Swizzled ? "warpgroup_product.cuh" : "warp_product.cuh");
    return define(fetch, "operand", typeOf(fetch.getView().getType()),
                  fmt::format("fetch<{}>({}, {}, {})", fetch.getView().getType().getCols(), ref(fetch.getSource()),
                              ref(fetch.getRow()), ref(fetch.getCol())));
  }
  if (auto subview = dyn_cast<SubviewOp>(op); subview && subview.getSource().getType().getSpace() == Space::Shared) {
    if (!matchPattern(subview.getCol(), m_Zero()))
      return false;
    return define(subview, "part", typeOf(subview.getView().getType()),
                  fmt::format("{}.from_row<{}>({})", ref(subview.getSource()), subview.getView().getType().getRows(),
                              ref(subview.getRow())));
  }
  if (auto subview = dyn_cast<SubviewOp>(op); subview && subview.getSource().getType().getSpace() == Space::Global) {
    if (!matchPattern(subview.getRow(), m_Zero()) || !matchPattern(subview.getCol(), m_Constant()))
      return false;
    use("columns.cuh");
    return define(subview, "part", typeOf(subview.getView().getType()),
                  fmt::format("columns<{}, {}>({})", ref(subview.getCol()), subview.getView().getType().getCols(),
                              ref(subview.getSource())));
  }
  if (auto matmul = dyn_cast<MatmulOp>(op); matmul && matmul.getTransposedB() && !matmul.getTransposed()) {
    use(productHeader(matmul.getB().getType()));
    return define(matmul, "product", typeOf(matmul.getType()),
                  fmt::format("matmul_transposed<{}>({}, {}, {})", matmul.getDepth(), ref(matmul.getA()),
                              ref(matmul.getB()), ref(matmul.getInit())));
  }
  if (auto accumulate = dyn_cast<AccumulateOp>(op)) {
    use(productHeader(accumulate.getB().getType()));
    code.line("accumulate({}, {}, {});", ref(accumulate.getP()), ref(accumulate.getB()), ref(accumulate.getAcc()));
    return true;
  }
  if (auto product = dyn_cast<MatmulAsyncOp>(op)) {
    use("warpgroup_product.cuh");
    PendingType type = product.getPending().getType();
    std::string a = ref(product.getA()), b = ref(product.getB());
    code.line("Pending<{}, {}> {}(Depth<{}>(), {}, {});", type.getRows(), type.getCols(), declare(product, "pending"),
              product.getDepth(), a, b);
    return true;
  }
  if (auto product = dyn_cast<AccumulateAsyncOp>(op)) {
    use("warpgroup_product.cuh");
    std::string p = ref(product.getP()), b = ref(product.getB());
    names[product.getToken()] = ref(product.getAcc());
    code.line("accumulate_async({}, {}, {});", p, b, ref(product.getAcc()));
    return true;
  }
  auto await = dyn_cast<AwaitOp>(op);
  if (!await)
    return false;
  std::string wait = fmt::format("await<{}>({})", await.getLater(), ref(await.getProduct()));
  if (!await.getTile()) {
    code.line("{};", wait);
    return true;
  }
  std::string type = typeOf(await.getTile().getType());
  code.line("const {} &{} = {};", type, declare(await.getTile(), "tile"), wait);
  return true;
}

} // namespace tercet::compiler
