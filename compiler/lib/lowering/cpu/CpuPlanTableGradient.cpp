// Gradients of tables that weight pools: a share per pair of the call, made where gradients of pools are, and sums of these behind
// the groups. Shares do not know of groups, so what a sum adds, and in which order, does not depend on threads. Gradients of tables that
// regions read are CpuPlanRegionTables.cpp's.
#include "CpuPlanWriter.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

void PlanWriter::eachPoolWeights(
    llvm::function_ref<void(const AttendStage &stage, const char *gradient, const std::string &weights)> body) {
  for (const AttendStage &stage : program.attends)
    for (const char *gradient : {"dk", "dv"})
      if (stage.pools && !poolWeights(stage, gradient).empty())
        body(stage, gradient, poolWeights(stage, gradient));
}

void PlanWriter::addTableGradients() {
  auto add = [&](const std::string &table) {
    if (plan.find("d" + table))
      return;
    std::vector<int64_t> axes = plan.find(table)->axes;
    plan.arguments.push_back(
        {"d" + table, PlanArgument::Role::tableGradient, /*optional=*/true, /*isOutput=*/true, DType::f32, axes});
  };
  for (BlockArgument table : regionTables)
    add(ir::argumentName(table));
  eachPoolWeights([&](const AttendStage &, const char *, const std::string &weights) { add(weights); });
}

PlanNode PlanWriter::poolWeightGradient(const AttendStage &stage, const char *gradient) {
  bool isValue = std::string_view(gradient) == "dv";
  int64_t dim = isValue ? program.valueDim : program.headDim, length = stage.pools->length;
  const std::string pools = stage.name + "_" + gradient, shares = pools + "_weights";
  addBuffer(shares, sym("P") * length, "shares of pairs of the gradient of weights of pools");
  const char *tokens = isValue ? "v" : "k";
  Slots slots = rowsOfTensor(tokens);
  for (PlanSlot slot :
       Slots{integer(static_cast<int64_t>(program.dtype)), tensor("k_len"), integer(sym("HKV")), integer(placesK),
             integer(dim), integer(sym("G0")), integer(length), integer(stage.pools->stride),
             integer(stage.keys(placesK)), buffer(pools), integer(sumRows(stage.keys(placesK))),
             integer(CpuSchedule::padded(dim)), buffer(shares), tensor("d" + poolWeights(stage, gradient)),
             tokenOrder(/*isKey=*/true), tokenCounts(/*isKey=*/true)})
    slots.push_back(slot);
  return builtin("pool_weight_gradient", "gradient", length, sym("G"), slots);
}

void PlanWriter::addPoolWeightSums(std::vector<PlanNode> &nodes) {
  llvm::StringSet<> known; // gradients that hold something already
  for (BlockArgument table : regionTables)
    known.insert(ir::argumentName(table));
  eachPoolWeights([&](const AttendStage &stage, const char *gradient, const std::string &weights) {
    auto property = [&](const std::string &name) { return integer(Expr::symbol(name)); };
    Slots slots{buffer(stage.name + "_" + gradient + "_weights"),
                integer(sym("P")),
                integer(sym("HKV")),
                integer(stage.pools->length),
                tensor("d" + weights),
                property(weights + ".size0"),
                property(weights + ".size1"),
                property("d" + weights + ".0"),
                property("d" + weights + ".1"),
                integer(!known.insert(weights).second)};
    nodes.push_back(builtin("sum_pool_weights", "gradient", Expr::symbol(weights + ".size1"),
                            Expr::symbol(weights + ".size0"), slots));
  });
}
