// What a stage takes from the buffers of earlier stages and leaves there for later ones, gates, and heads that choose.
#include "AttendParts.h"

using namespace mlir;

namespace tercet::compiler {

void AttendParts::addInputs() {
  Type f32 = b.builder.getF32Type();
  auto ofStage = [&](StringRef name, const StageInput &input, const char *suffix) {
    return buffer(name, f32, program.attends[input.stage].name + suffix);
  };
  if (stage.start) {
    numerators = ofStage("numerators", *stage.start, "_o");
    startState = ofStage("start_state", *stage.start, "_state");
  }
  for (const StageInput &input : stage.added)
    added.push_back(ofStage("added_o", input, "_o"));
  if (stage.storesLse && !stage.exact)
    addedLogs = ofStage("added_lse", stage.added.front(), "_lse");
  if (stage.keepsState)
    keptState = buffer("kept_state", f32, stage.name + "_state");
}

// Where the block's rows begin in what the stage writes and reads of the workspace.
void AttendParts::placeBuffers() {
  auto place = [&](TensorArgument &argument, StringRef name, Value of, Value count) {
    if (argument.inBuffer)
      argument.first = b.mul(name, of, count);
  };
  auto placeInput = [&](TensorArgument &argument, const StageInput &input) {
    place(argument, "first_input_row", member, b.pooled("input_rows", tokens, input.rows));
  };
  for (TensorArgument *argument : {&q, &o, &lse, &rest, &keptState})
    place(*argument, "first_row", member, rows);
  for (TensorArgument *argument : {&k, &v})
    place(*argument, "first_pool", group, keys);
  if (stage.start) {
    placeInput(numerators, *stage.start);
    placeInput(startState, *stage.start);
  }
  for (auto [input, argument] : llvm::zip(stage.added, added))
    placeInput(argument, input);
  if (addedLogs.inBuffer)
    placeInput(addedLogs, stage.added.front());
}

// In a head that chooses another stage no row is live; of one that chooses none this stage may write the rows.
Value AttendParts::chosenRows(Value live) {
  if (stage.chosen < 0)
    return live;
  Type i32 = b.builder.getI32Type();
  auto number = [&](int64_t value) -> Value {
    return b.make<arith::ConstantOp>("", b.builder.getI32IntegerAttr(static_cast<int32_t>(value)));
  };
  int64_t perHead[] = {static_cast<int64_t>(TableAxis::head)};
  TableView table = scope.table(program.choice, ir::TableType::get(b.builder.getContext(), perHead, i32));
  Value choice = b.make<tkern::ElementOp>("choice", i32, table.base, ValueRange{scope.narrow("choosing_head", head)},
                                          table.sizes, table.strides);
  stores = b.make<arith::CmpIOp>("chosen", arith::CmpIPredicate::eq, choice, number(stage.chosen));
  Value rowsOfHead = b.make<arith::SelectOp>("chosen_rows", stores, live, b.constant(int64_t{0}));
  if (stage.choices > 0) {
    Value below = b.make<arith::CmpIOp>("below", arith::CmpIPredicate::slt, choice, number(0));
    Value above = b.make<arith::CmpIOp>("above", arith::CmpIPredicate::sge, choice, number(stage.choices));
    stores = b.make<arith::OrIOp>("stores", stores, b.make<arith::OrIOp>("chooses_none", below, above));
  }
  return rowsOfHead;
}

Value AttendParts::inputTile(StringRef name, const StageInput &input, Value rows, Value row) {
  int64_t cols = cast<tkern::ViewType>(rows.getType()).getCols();
  return b.compute(name, b.tile(schedule.getWorkerRows(), cols), "kept_rows", "kept_rows",
                   {b.integer(schedule.getWorkerRows()), b.integer(input.rows)}, {rows, row, liveRows});
}

// Behind the stage's own keys: scores are then relative to a maximum of theirs, however far those of the earlier stage lie.
void AttendParts::mergeRows(Value row) {
  Value accRows = rowsOf("numerator_rows", numerators, head, layout.valueCols);
  Value stateRows = rowsOf("state_rows", startState, head, 2);
  b.call("merge_softmax", "kept_rows", {b.integer(stage.start->rows)},
         {accRows, stateRows, row, liveRows, max, sum, acc});
}

// Beside the numerators, which are the stage's output.
void AttendParts::keepState(Value total, Value row) {
  Value stateRows = rowsOf("kept_state_rows", keptState, head, 2);
  b.call("keep_state", "kept_rows", {}, {stateRows, row, rows, max, total});
}

// Gates are regions over pairs of a query token and a feature of its output; one that is the same for all features is made
// once per row, ahead of the rows' columns.
void AttendParts::startGates(Value row) {
  auto start = [&](Region *gate) {
    if (gate && gate->getArgument(3).use_empty() && !rowGates.contains(gate))
      rowGates[gate] =
          gateOf(*gate, b.make<tkern::SplatOp>("ones", b.tile(schedule.getWorkerRows(), 1), b.constant(1.0f)), row, 0);
  };
  start(stage.gate);
  for (const StageInput &input : stage.added)
    start(input.gate);
}

/// `tile`, whose first column is `col`, times the gate.
Value AttendParts::gateOf(Region &gate, Value tile, Value row, int64_t col) {
  PairRegion factor(gate, scope, arith::FastMathFlags::contract);
  factor.bind(0, scope.narrow("batch_index", batch));
  factor.bind(1, scope.narrow("head_index", head));
  factor.clone(b.builder);
  return b.mapPairs("gated", tile, row, b.constant(col), [&](ValueRange x) -> Value {
    factor.bind(2, scope.position(x[1], /*isKey=*/false));
    factor.bind(3, x[2]);
    factor.clone(b.builder);
    return b.make<arith::MulFOp>("times_gate", x[0], factor.result(), arith::FastMathFlags::contract);
  });
}

Value AttendParts::gated(Value tile, Region *gate, Value row, int64_t col) {
  if (!gate)
    return tile;
  Value ofRows = rowGates.lookup(gate);
  if (!ofRows)
    return gateOf(*gate, tile, row, col);
  return b.map("gated", cast<tkern::TileType>(tile.getType()), {tile, ofRows}, {"x", "gate"},
               [&](ValueRange x) -> Value {
                 return b.make<arith::MulFOp>("times_gate", x[0], x[1], arith::FastMathFlags::contract);
               });
}

Value AttendParts::withInputs(Value tile, Value row, int64_t col) {
  auto type = cast<tkern::TileType>(tile.getType());
  for (auto [input, from] : llvm::zip(stage.added, added)) {
    Value rows = columnsOf("added_part", rowsOf("added_rows", from, head, layout.valueCols), col, type.getCols());
    Value kept = gated(inputTile("added", input, rows, row), input.gate, row, col);
    tile = b.map("with_added", type, {tile, kept}, {"x", "y"},
                 [&](ValueRange x) -> Value { return b.make<arith::AddFOp>("sum", x[0], x[1]); });
  }
  return tile;
}

} // namespace tercet::compiler
