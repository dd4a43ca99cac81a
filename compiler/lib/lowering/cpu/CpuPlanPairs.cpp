// What regions over pairs need of a CPU plan: slots for tables and parameters, and ranges of tables.
#include "CpuPlanWriter.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

// As CpuPairScope expects them.
void PlanWriter::addPairOperands(Slots &slots, const PairOperands &operands) {
  for (BlockArgument argument : operands.tables) {
    std::string name = ir::argumentName(argument);
    size_t axes = cast<ir::TableType>(argument.getType()).getAxes().size();
    slots.push_back(tensor(name));
    for (size_t axis = 0; axis < axes; ++axis)
      slots.push_back(integer(Expr::symbol(name + ".size" + std::to_string(axis))));
    addStrides(slots, name, static_cast<int>(axes));
  }
  for (ir::ParamOp param : operands.parameters) {
    std::string name = param.getName().str();
    slots.push_back(param.getKind() == ir::ParamKind::Integer ? integer(Expr::symbol("param." + name))
                                                              : scalar(name, 0));
  }
}

// What intervals of positions know of tables: in block_rules, and in attend stages.
SmallVector<RangedTable> PlanWriter::rangedTables() const {
  return rangedTablesOf(program.classified() ? program.selection->maskRegion() : nullptr, program.attends);
}

void PlanWriter::addRanges(Slots &slots, Region *mask) {
  for (const RangedTable &table : rangedTablesOf(mask))
    slots.push_back(buffer(rangesOf(table)));
}

std::string PlanWriter::rangesOf(const RangedTable &table) {
  return ir::argumentName(table.table) + "_ranges" + std::to_string(table.axis);
}

PlanNode PlanWriter::tableRanges(const RangedTable &table) {
  std::string name = ir::argumentName(table.table);
  auto type = cast<ir::TableType>(table.table.getType());
  auto size = [&](size_t axis) { return Expr::symbol(name + ".size" + std::to_string(axis)); };
  auto stride = [&](size_t axis) { return Expr::symbol(name + "." + std::to_string(axis)); };
  Slots sizes, strides;
  Expr rows = 1, blocks = ceildiv(size(table.axis), rangeBlock);
  for (size_t axis = 0; axis < type.getAxes().size(); ++axis)
    if (axis != table.axis) {
      sizes.push_back(integer(size(axis)));
      strides.push_back(integer(stride(axis)));
      rows = rows * size(axis);
    }
  sizes.resize(3, integer(1));
  strides.resize(3, integer(0));
  DType dtype = type.getElementType().isF32() ? DType::f32 : DType::i32;
  Slots slots{tensor(name), integer(static_cast<int64_t>(dtype))};
  for (const Slots &part :
       {sizes, strides, Slots{integer(size(table.axis)), integer(stride(table.axis)), buffer(rangesOf(table))}})
    slots.insert(slots.end(), part.begin(), part.end());
  addBuffer(rangesOf(table), rows * blocks * 2, "least and largest entries of blocks of " + name);
  return builtin("table_ranges", "prologue", ceildiv(blocks, 64), rows, slots);
}

void PlanWriter::addRuleBuffers() {
  const char *purpose = "what masks and sets say of blocks";
  if (isSelectedAhead() && program.selection->hasRules())
    addBuffer("all_rules", sym("P") * sym("R") * TM * TN, purpose, 1);
  if (hasGroupRules())
    addBuffer("rules", GR * TM * TN, purpose, 1);
}

// Where classes come from outside, block sets have no part in them.
PlanNode PlanWriter::blockRules(const char *into, Expr pairs, Expr firstPair, bool givenToo) {
  Slots slots{buffer(into),      tensor("q_len"),   tensor("k_len"),    integer(sym("HKV")), integer(sym("R")),
              integer(sym("N")), integer(sym("M")), integer(firstPair), integer(TM),         integer(TN)};
  for (bool isKey : {false, true})
    addOrder(slots, isKey);
  addPairOperands(slots, program.selection->pairOperands());
  addRanges(slots, program.selection->maskRegion());
  Expr items = ceildiv(TM, schedule.blocksPerRuleItem());
  return kernel("block_rules", "select", givenToo ? items : absentClasses * items, pairs * sym("R"), 1, slots);
}
