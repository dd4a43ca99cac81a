// Shares of gates: dO O times the derivative of a gate by what it read, by row, or by row and feature.
#include "GpuPairScope.h"
#include "TableStages.h"
#include "TableWarps.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

class GateShares {
public:
  GateShares(MLIRContext &context, const GpuProgram &program, const GradientPass &pass, const TableShares &shares)
      : kernel(context, program, shares.name, {"part", "member", "unused"}, stageThreads), b(kernel.b),
        program(program), pass(pass), shares(shares), scope(b) {}

  OwningOpRef<ModuleOp> build() {
    Type f32 = b.builder.getF32Type();
    Value wanted = b.pointer(f32, shares.gradient(), shares.gradient());
    to = b.pointer(f32, "shares", "@" + shares.name);
    StridedTensor gradient = b.tensor(kernel.element(), "d_o", "do");
    at = b.placeHead(b.item(1));
    auto [rows, live] = scope.startHead(at.batch, program.order.has_value());
    row = numberOfWarp(b, "row");
    place = scope.position(scope.narrow("row_index", row), /*isKey=*/false);
    counts = isBelow(b, "is_live", row, live);
    if (program.order)
      counts = both(b, "is_token", counts,
                    b.make<arith::CmpIOp>("is_placed", arith::CmpIPredicate::sge, place,
                                          b.make<arith::ConstantOp>("", b.builder.getI32IntegerAttr(0))));
    int64_t ofRow = pass.rows->queryRows();
    keptRow = b.quotient("kept_row", row, b.constant(ofRow));
    gradientRows = b.rowsOf("d_o_rows", gradient, at.batch, at.head, program.valueDim);
    outputRows =
        b.bufferRows("o_rows", pass.rows->name + "_o",
                     b.mul("first_kept", b.item(1), b.pooled("kept_rows", rows, ofRow)), program.paddedValueDim());
    Value token = b.make<arith::IndexCastOp>("token", b.builder.getIndexType(), place);
    shareAt = b.add("share_at", b.mul("first_share", b.item(1), b.size("tokens", "tokens.q")), token);
    b.when(isThere(b, wanted), [&] { makeShares(); });
    return kernel.finish(0);
  }

private:
  void makeShares() {
    Value lane = laneOf(b), chunks = b.constant((program.valueDim + lanes - 1) / lanes);
    auto colOf = [&](Value chunk) { return b.add("col", b.mul("first_col", chunk, b.constant(lanes)), lane); };
    if (shares.kind != TableShares::Kind::features) {
      Value sum = b.loopFrom("chunk", chunks, "sum", b.constant(0.0f), [&](Value chunk, Value sum) -> Value {
        return b.make<arith::AddFOp>("sum_so_far", sum, shareOf(colOf(chunk)));
      });
      return b.call("keep_sum", "table_gradient", {}, {counts, to, shareAt, sum});
    }
    Value dim = b.constant(program.valueDim, "features");
    b.loop("chunk", chunks, [&](Value chunk) {
      Value col = colOf(chunk);
      b.call("keep_share", "table_gradient", {},
             {both(b, "has_col", counts, isBelow(b, "is_col", col, dim)), to,
              b.add("feature_at", b.mul("features_at", shareAt, dim), col), shareOf(col)});
    });
  }

  // What is 0 gives nothing, whatever the derivative.
  Value shareOf(Value col) {
    Value zero = b.constant(0.0f);
    Value product = b.compute("product", b.builder.getF32Type(), "gate_product", "table_gradient", {},
                              {row, keptRow, col, counts, gradientRows, outputRows});
    if (!shares.read.factor)
      return product;
    PairRegion region(*shares.read.factor, scope, arith::FastMathFlags::contract);
    region.bind(0, scope.narrow("batch_index", at.batch));
    region.bind(1, scope.narrow("head_index", at.head));
    region.bind(2, place);
    region.bind(3, scope.narrow("col_index", col));
    region.clone(b.builder);
    Value times = b.make<arith::MulFOp>("times_derivative", product, region.result(), arith::FastMathFlags::contract);
    Value gives = b.make<arith::CmpFOp>("gives", arith::CmpFPredicate::UNE, product, zero);
    return b.make<arith::SelectOp>("share_of_feature", gives, times, zero);
  }

  StageKernel kernel;
  GpuKernelBuilder &b;
  const GpuProgram &program;
  const GradientPass &pass;
  const TableShares &shares;
  GpuPairScope scope;
  HeadPlace at;
  Value to, row, place, counts, keptRow, gradientRows, outputRows, shareAt;
};

} // namespace

OwningOpRef<ModuleOp> lowerGateShares(MLIRContext &context, const GpuProgram &program, const GradientPass &pass,
                                      const TableShares &shares) {
  return GateShares(context, program, pass, shares).build();
}

} // namespace tercet::compiler
