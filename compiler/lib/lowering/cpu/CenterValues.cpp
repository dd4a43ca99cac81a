// Values less their mean, which the linear branch's backward takes: features are positive or nearly so, and without the mean that all
// values share the two sums of dO_l H^T - D_l Z are no larger than their difference has to be.
#include "CpuKernels.h"
#include "GradientTokens.h"
#include "KernelBuilder.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

namespace {

/// v with its strides, kLengths, headsKV, tokensK, firstPair, means [g][valueDim padded].
struct ValuesOfPair {
  ValuesOfPair(KernelBuilder &k, const Program &program)
      : v(k, program.dtype), lengths(k.pointer(DType::i32)), headsKV(k.integer()), tokens(k.integer()),
        firstPair(k.integer()), means(k.pointer(DType::f32)) {
    Value pair = k.add(firstPair, k.item(1));
    batch = k.div(pair, headsKV);
    head = k.rem(pair, headsKV);
    valid = k.tokenCount(lengths, batch, tokens);
  }
  GradientTokens v;
  Value lengths, headsKV, tokens, firstPair, means;
  Value batch, head, valid;
};

void buildMeanValues(ModuleOp module, const Program &program, int64_t width) {
  KernelBuilder k(module, "mean_values");
  ValuesOfPair at(k, program);
  Value zero = k.index(0), rows = at.v.rows(k, at.batch, at.head, zero, program.valueDim);
  Value cols = width == program.valueDim ? Value() : k.index(program.valueDim), total = k.scratch(1, width);
  k.store(k.splat(k.real(0), 1, width), total, zero);
  k.loop(zero, at.valid, 1, [&](Value row) {
    k.store(k.tileSum(k.load(total, zero, 1, width), k.load(rows, row, 1, width, {}, {}, cols)), total, zero);
  });
  Value count = k.narrow(k.max(at.valid, k.index(1)));
  Value mean = k.map({k.load(total, zero, 1, width)}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value rows = body.create<arith::SIToFPOp>(loc, body.getF32Type(), count);
    return body.create<arith::DivFOp>(loc, v[0], rows);
  });
  k.store(mean, k.view(at.means, k.mul(k.item(1), width), width), zero);
  k.end();
}

} // namespace

void compiler::buildCenterValues(ModuleOp module, const Program &program, const CpuSchedule &schedule) {
  int64_t width = schedule.valueDim;
  buildMeanValues(module, program, width);
  KernelBuilder k(module, "center_values");
  ValuesOfPair at(k, program);
  Value out = k.pointer(DType::f32);
  constexpr int64_t itemRows = 64;
  Value zero = k.index(0), first = k.mul(k.item(0), itemRows), size = k.index(itemRows);
  Value present = k.min(k.sub(at.tokens, first), size);
  Value valid = k.max(k.min(k.sub(at.valid, first), size), zero);
  Value from = at.v.rows(k, at.batch, at.head, first, program.valueDim);
  Value into = k.view(out, k.mul(k.add(k.mul(k.item(1), at.tokens), first), program.valueDim), program.valueDim);
  Value cols = width == program.valueDim ? Value() : k.index(program.valueDim);
  Value mean = k.view(at.means, k.mul(k.item(1), width), width);
  k.loop(zero, valid, 1, [&](Value row) {
    Value less = k.tileDifference(k.load(from, row, 1, width, {}, {}, cols), k.load(mean, zero, 1, width));
    k.store(less, into, row, {}, {}, cols);
  });
  k.clearRows(into, valid, present, width, cols);
  k.end();
}
