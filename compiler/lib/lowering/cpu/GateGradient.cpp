// dO of a branch: dO times the branch's gate, in f32, summed over queries that share a row.
#include "BlockTokens.h"
#include "CpuKernels.h"
#include "CpuPairScope.h"
#include "GradientTokens.h"
#include "HoistedRegion.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

namespace {

class GateBuilder {
public:
  GateBuilder(ModuleOp module, const Program &program, const GradientPass &pass, const CpuSchedule &schedule)
      : program(program), pass(pass), schedule(schedule), k(module, "gate_" + pass.rows->name),
        gradient(k, program.dtype), lengthsQ(k.pointer(DType::i32)), lengthsK(k.pointer(DType::i32)),
        headsKV(k.integer()), headsPerKV(k.integer()), placesQ(k.integer()), placesK(k.integer()),
        firstPair(k.integer()), out(k.pointer(DType::f32)), queriesAt(k, program), keysAt(k, program),
        scope(k, pairOperandsOf({pass.gate})), zero(k.index(0)) {}
  void build();

private:
  Value tileAt(Value row, Value from, int64_t rows, Value left);
  void storeTokens(Value into);
  void storePool(Value into);

  const Program &program;
  const GradientPass &pass;
  const CpuSchedule &schedule;
  KernelBuilder k;
  GradientTokens gradient;
  Value lengthsQ, lengthsK, headsKV, headsPerKV, placesQ, placesK, firstPair, out;
  BlockTokens queriesAt, keysAt;
  CpuPairScope scope;
  Value zero, first, present, valid, tokens, cols;
  std::optional<HoistedRegion> gate;
  int64_t width = schedule.valueDim, pool = pass.rows->queryRows();
};

// Rows of the item from `row` on, which are the tensor's from `from` on, times the gate.
Value GateBuilder::tileAt(Value row, Value from, int64_t rows, Value left) {
  Value tile = k.load(tokens, from, rows, width, {}, left, cols), place = k.add(first, row);
  if (!gate)
    return tile;
  SmallVector<Value> inputs = gate->inputs(row, rows, zero, width);
  size_t prepared = inputs.size();
  if (queriesAt.ordered())
    inputs.push_back(queriesAt.positions(place, rows, 1));
  return k.mapPairs(tile, place, zero, inputs, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value query = queriesAt.ordered() ? BlockTokens::position(body, loc, v.back()) : v[1];
    return body.create<arith::MulFOp>(loc, v[0], gate->emit(body, {}, query, v[2], v.slice(3, prepared)));
  });
}

void GateBuilder::storeTokens(Value into) {
  if (queriesAt.ordered()) {
    Value none = k.splat(k.real(0), 1, width);
    k.loop(zero, present, 1, [&](Value row) {
      Value token = queriesAt.rowOf(first, row);
      k.when(
          k.less(token, zero), [&] { k.store(none, into, row, {}, {}, cols); },
          [&] { k.store(tileAt(row, token, 1, {}), into, row, {}, {}, cols); });
    });
    return;
  }
  constexpr int64_t step = 4;
  k.loop(zero, valid, step, [&](Value row) {
    Value left = k.sub(valid, row);
    k.store(tileAt(row, row, step, left), into, row, {}, left, cols);
  });
  k.clearRows(into, valid, present, width, cols);
}

// The sum over the tokens of a pool, which share a row of O.
void GateBuilder::storePool(Value into) {
  Value total = k.scratch(1, width);
  k.store(k.splat(k.real(0), 1, width), total, zero);
  k.loop(zero, valid, 1, [&](Value row) {
    Value token = queriesAt.rowOf(first, row);
    k.when(k.negate(k.less(token, zero)),
           [&] { k.store(k.tileSum(k.load(total, zero, 1, width), tileAt(row, token, 1, {})), total, zero); });
  });
  k.store(k.load(total, zero, 1, width), into, zero, {}, {}, cols);
}

void GateBuilder::build() {
  int64_t places = pool > 1 ? pool : 64;
  Value owner = k.item(1), size = k.index(places);
  first = k.mul(k.item(0), places);
  auto [group, batch, head] = QueryHead(k, owner, firstPair, headsKV, headsPerKV);
  Value validQ = k.tokenCount(lengthsQ, batch, placesQ);
  scope.validQ = queriesAt.tokens(validQ);
  scope.validK = keysAt.tokens(k.tokenCount(lengthsK, batch, placesK));
  scope.headsKV = headsKV;
  scope.headsPerKV = headsPerKV;
  present = k.min(k.sub(placesQ, first), size);
  valid = k.max(k.min(k.sub(validQ, first), size), zero);
  cols = width == program.valueDim ? Value() : k.index(program.valueDim);
  tokens = gradient.rows(k, batch, head, queriesAt.ordered() ? zero : first, program.valueDim);
  if (pass.gate) {
    gate.emplace(k, *pass.gate, scope, /*first=*/0, batch, head, places, width);
    gate->prepareRows(valid, [&](Value row) { return queriesAt.token(k.add(first, row)); });
    gate->prepareColumns(zero);
  }
  Value rows = k.ceilDiv(placesQ, pool), row = k.add(k.mul(owner, rows), pool > 1 ? k.item(0) : first);
  Value into = k.view(out, k.mul(row, program.valueDim), program.valueDim);
  if (pool > 1)
    storePool(into);
  else
    storeTokens(into);
  k.end();
}

} // namespace

void compiler::buildGateGradient(ModuleOp module, const Program &program, const GradientPass &pass,
                                 const CpuSchedule &schedule) {
  GateBuilder(module, program, pass, schedule).build();
}
