// dO of a branch: dO times the branch's gate, in f32.
#include "CpuKernels.h"
#include "CpuPairScope.h"
#include "GradientTokens.h"
#include "HoistedRegion.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

void compiler::buildGateGradient(ModuleOp module, const Program &program, const GradientPass &pass,
                                 const CpuSchedule &schedule) {
  KernelBuilder k(module, "gate_" + pass.rows->name);
  constexpr int64_t itemRows = 64, step = 4;
  GradientTokens gradient(k, program.dtype);
  Value lengthsQ = k.pointer(DType::i32), lengthsK = k.pointer(DType::i32);
  Value headsKV = k.integer(), headsPerKV = k.integer(), tokensQ = k.integer(), tokensK = k.integer();
  Value firstPair = k.integer(), out = k.pointer(DType::f32);
  CpuPairScope scope(k, pairOperandsOf({pass.gate}));

  Value zero = k.index(0), owner = k.item(1), first = k.mul(k.item(0), itemRows), size = k.index(itemRows);
  Value pair = k.add(firstPair, k.div(owner, headsPerKV)), batch = k.div(pair, headsKV);
  Value head = k.add(k.mul(k.rem(pair, headsKV), headsPerKV), k.rem(owner, headsPerKV));
  scope.validQ = k.tokenCount(lengthsQ, batch, tokensQ);
  scope.validK = k.tokenCount(lengthsK, batch, tokensK);
  scope.headsKV = headsKV;
  scope.headsPerKV = headsPerKV;
  Value present = k.min(k.sub(tokensQ, first), size);
  Value valid = k.max(k.min(k.sub(scope.validQ, first), size), zero);

  int64_t width = schedule.valueDim;
  Value cols = width == program.valueDim ? Value() : k.index(program.valueDim);
  Value from = gradient.rows(k, batch, head, first, program.valueDim);
  Value into = k.view(out, k.mul(k.add(k.mul(owner, tokensQ), first), program.valueDim), program.valueDim);
  std::optional<HoistedRegion> gate;
  if (pass.gate) {
    gate.emplace(k, *pass.gate, scope, /*first=*/0, batch, head, itemRows, width);
    gate->prepareRows(valid, [&](Value row) { return k.add(first, row); });
    gate->prepareColumns(zero);
  }
  k.loop(zero, valid, step, [&](Value row) {
    Value left = k.sub(valid, row), tile = k.load(from, row, step, width, {}, left, cols);
    if (gate) {
      SmallVector<Value> inputs = gate->inputs(row, step, zero, width);
      tile =
          k.mapPairs(tile, k.add(first, row), zero, inputs, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
            Value factor = gate->emit(body, {}, v[1], v[2], v.drop_front(3));
            return body.create<arith::MulFOp>(loc, v[0], factor);
          });
    }
    k.store(tile, into, row, {}, left, cols);
  });
  k.loop(valid, present, 1, [&](Value row) { k.store(k.splat(k.real(0), 1, width), into, row, {}, {}, cols); });
  k.end();
}
