// dO of a branch: dO times the branch's gate, in f32, summed over queries that share a row. Where the gate reads tables, also dO O times
// its derivative by what was read: what entries get, by row or by row and feature.
#include "BlockTokens.h"
#include "CpuKernels.h"
#include "CpuPairScope.h"
#include "GradientTokens.h"
#include "HoistedRegion.h"

#include <vector>

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
        scope(k, pairOperandsOf({pass.gate})), zero(k.index(0)) {
    if (!pass.ofGate.empty())
      output = k.pointer(DType::f32);
    for (const TableShares &shares : pass.ofGate) {
      Value gradient = k.pointer(DType::f32);
      tables.push_back({shares, gradient, k.pointer(DType::f32)});
    }
  }
  void build();

private:
  /// A table of whose gradient the kernel makes shares.
  struct Table {
    const TableShares &shares;
    Value gradient, buffer;
    std::optional<HoistedRegion> factor = {};
  };
  Value apply(HoistedRegion &region, Value tile, Value row, int64_t rows);
  Value outputAt(Value row, int64_t rows, Value left);
  void share(Table &table, Value product, Value row, int64_t rows, Value left);
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
  Value ofOwner, ownRow; ///< the item's query head in the group, and its first row of O
  Value output;
  std::optional<HoistedRegion> gate;
  std::vector<Table> tables;
  int64_t width = schedule.valueDim, pool = pass.rows->queryRows();
};

// A tile of rows from place `row` of the item on, times a region over rows and features.
Value GateBuilder::apply(HoistedRegion &region, Value tile, Value row, int64_t rows) {
  Value place = k.add(first, row);
  SmallVector<Value> inputs = region.inputs(row, rows, zero, width);
  size_t prepared = inputs.size();
  if (queriesAt.ordered())
    inputs.push_back(queriesAt.positions(place, rows, 1));
  return k.mapPairs(tile, place, zero, inputs, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value query = queriesAt.ordered() ? BlockTokens::position(body, loc, v.back()) : v[1];
    return body.create<arith::MulFOp>(loc, v[0], region.emit(body, {}, query, v[2], v.slice(3, prepared)));
  });
}

// O of the branch for these rows, which tokens of a pool share.
Value GateBuilder::outputAt(Value row, int64_t rows, Value left) {
  Value own = k.mul(ownRow, width), ofRows = k.view(output, own, width);
  return pool > 1 ? k.repeatRows(k.load(ofRows, zero, 1, width, {}, {}, cols), rows)
                  : k.load(ofRows, row, rows, width, {}, left, cols);
}

void GateBuilder::share(Table &table, Value product, Value row, int64_t rows, Value left) {
  k.when(k.negate(k.isNull(table.gradient)), [&] {
    Value made = table.factor ? apply(*table.factor, product, row, rows) : product;
    bool byFeature = table.shares.kind == TableShares::Kind::features;
    int64_t dim = byFeature ? program.valueDim : 1;
    Value into = k.view(table.buffer, k.mul(k.add(k.mul(ofOwner, placesQ), first), dim), dim);
    if (byFeature)
      k.store(made, into, row, {}, left, cols);
    else
      k.store(k.reduce(tkern::ReduceKind::Add, made), into, row, {}, left);
  });
}

// Rows of the item from `row` on, which are the tensor's from `from` on, times the gate.
Value GateBuilder::tileAt(Value row, Value from, int64_t rows, Value left) {
  Value tile = k.load(tokens, from, rows, width, {}, left, cols);
  if (!gate)
    return tile;
  if (!tables.empty()) {
    Value product = k.tileProduct(tile, outputAt(row, rows, left));
    for (Table &table : tables)
      share(table, product, row, rows, left);
  }
  return apply(*gate, tile, row, rows);
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
  auto prepare = [&](std::optional<HoistedRegion> &region, Region *body) {
    if (!body)
      return;
    region.emplace(k, *body, scope, /*first=*/0, batch, head, places, width);
    region->prepareRows(valid, [&](Value row) { return queriesAt.token(k.add(first, row)); });
    region->prepareColumns(zero);
  };
  prepare(gate, pass.gate);
  for (Table &table : tables)
    prepare(table.factor, table.shares.read.factor.get());
  ofOwner = owner;
  ownRow = k.add(k.mul(owner, k.ceilDiv(placesQ, pool)), pool > 1 ? k.item(0) : first);
  Value into = k.view(out, k.mul(ownRow, program.valueDim), program.valueDim);
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
