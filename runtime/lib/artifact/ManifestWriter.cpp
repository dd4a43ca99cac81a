// Artifact to JSON. Expressions are postfix strings, slots are [kind, name or expression] pairs (a tensor map has its
// description behind them): short, and readable with any JSON viewer. A direction's signature is
// written once, plans per module.
#include "Manifest.h"
#include "ManifestNames.h"

#include "tercet/ExprText.h"
#include "tercet/PlanCheck.h"

#include <nlohmann/json.hpp>

namespace tercet {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson exprsToJson(const std::vector<Expr> &exprs) {
  OrderedJson list = OrderedJson::array();
  for (const Expr &expr : exprs)
    list.push_back(exprPostfix(expr));
  return list;
}

OrderedJson mapToJson(const PlanTensorMap &map) {
  return {{"of", map.ofBuffer ? "buffer" : "tensor"},
          {"dtype", dtypeName(map.dtype)},
          {"offset", exprPostfix(map.offset)},
          {"sizes", exprsToJson(map.sizes)},
          {"strides", exprsToJson(map.strides)},
          {"box", map.box},
          {"swizzle", kindName(swizzleNames, map.swizzle)}};
}

OrderedJson slotToJson(const PlanSlot &slot) {
  bool isInteger = slot.kind == PlanSlot::Kind::integer;
  OrderedJson list =
      OrderedJson::array({kindName(slotKindNames, slot.kind), isInteger ? exprPostfix(slot.value) : slot.name});
  if (slot.kind == PlanSlot::Kind::tensorMap)
    list.push_back(mapToJson(slot.map));
  return list;
}

OrderedJson nodeToJson(const PlanNode &node) {
  OrderedJson result = {{"kind", kindName(nodeKindNames, node.kind)}, {"callee", node.callee}, {"stage", node.stage}};
  result["grid"] = {exprPostfix(node.grid[0]), exprPostfix(node.grid[1]), exprPostfix(node.grid[2])};
  result["slots"] = OrderedJson::array();
  for (const PlanSlot &slot : node.slots)
    result["slots"].push_back(slotToJson(slot));
  result["kernels"] = node.kernels;
  result["flops"] = exprPostfix(node.flops);
  if (node.kind == PlanNode::Kind::memset) {
    result["bytes"] = exprPostfix(node.bytes);
    result["byte"] = node.byte;
  }
  result["body"] = OrderedJson::array();
  for (const PlanNode &inner : node.body)
    result["body"].push_back(nodeToJson(inner));
  return result;
}

OrderedJson signatureToJson(const PlanSignature &plan) {
  OrderedJson result = {{"block_q", plan.blockQ}, {"block_k", plan.blockK}};
  result["arguments"] = OrderedJson::array();
  for (const PlanArgument &argument : plan.arguments) {
    OrderedJson entry = {{"name", argument.name},
                         {"role", roleName(argument.role)},
                         {"optional", argument.optional},
                         {"output", argument.isOutput},
                         {"dtype", dtypeName(argument.dtype)}};
    if (hasAxes(argument.role))
      entry["axes"] = argument.axes;
    result["arguments"].push_back(std::move(entry));
  }
  if (plan.order)
    result["order"] = {
        {"grid", plan.order->grid}, {"tile", plan.order->tile}, {"text", kindName(textPlaceNames, plan.order->text)}};
  result["parameters"] = OrderedJson::array();
  for (const PlanParameter &parameter : plan.parameters)
    result["parameters"].push_back({{"name", parameter.name},
                                    {"value", parameter.value},
                                    {"integer", parameter.isInteger},
                                    {"minimum", parameter.minimum},
                                    {"maximum", parameter.maximum}});
  return result;
}

OrderedJson planToJson(const Plan &plan) {
  OrderedJson result = {{"buffers", OrderedJson::array()}};
  for (const PlanBuffer &buffer : plan.buffers)
    result["buffers"].push_back(
        {{"name", buffer.name}, {"bytes", exprPostfix(buffer.bytes)}, {"purpose", buffer.purpose}});
  result["grouping"] = {{"unit_bytes", exprPostfix(plan.grouping.unitBytes)},
                        {"row_bytes", exprPostfix(plan.grouping.rowBytes)},
                        {"budget_bytes", exprPostfix(plan.grouping.budgetBytes)},
                        {"slices", exprPostfix(plan.grouping.slices)},
                        {"rows", exprPostfix(plan.grouping.rows)},
                        {"items_per_pair", exprPostfix(plan.grouping.itemsPerPair)}};
  result["nodes"] = OrderedJson::array();
  for (const PlanNode &node : plan.nodes)
    result["nodes"].push_back(nodeToJson(node));
  return result;
}

OrderedJson rangeToJson(const SectionRange &range) { return {{"offset", range.offset}, {"size", range.size}}; }

/// ranges: those of cubin, PTX and source.
OrderedJson gpuToJson(const GpuKernelInfo &gpu, const SectionRange *ranges) {
  return {{"threads", gpu.threads},
          {"cluster_size", gpu.clusterSize},
          {"dynamic_shared_bytes", gpu.dynamicSharedBytes},
          {"static_shared_bytes", gpu.staticSharedBytes},
          {"registers", gpu.registers},
          {"spill_bytes", gpu.spillBytes},
          {"stack_bytes", gpu.stackBytes},
          {"code_bytes", gpu.codeBytes},
          {"compile_ms", gpu.compileMs},
          {"notes", gpu.notes},
          {"cubin", rangeToJson(ranges[0])},
          {"ptx", rangeToJson(ranges[1])},
          {"source", rangeToJson(ranges[2])}};
}

/// range: the module's first; advanced behind its last.
OrderedJson moduleToJson(const TargetModule &module, const SectionRange *&range) {
  OrderedJson result = {{"target", module.target}, {"code", rangeToJson(*range++)}, {"kernels", OrderedJson::array()}};
  for (const KernelInfo &kernel : module.kernels) {
    OrderedJson entry = {{"name", kernel.name}, {"scratch_bytes", kernel.scratchBytes}, {"schedule", kernel.schedule}};
    if (module.isGpu()) {
      entry["gpu"] = gpuToJson(kernel.gpu, range);
      range += 3;
    }
    result["kernels"].push_back(std::move(entry));
  }
  if (!module.remarks.empty())
    result["remarks"] = module.remarks;
  result["plan"] = planToJson(module.plan);
  return result;
}

} // namespace

std::string writeManifest(const Artifact &artifact, const std::vector<SectionRange> &ranges) {
  OrderedJson root = {
      {"spec", {{"name", artifact.specName}, {"text", artifact.specText}, {"digest", artifact.specDigest}}},
      {"compiler", artifact.compiler},
      {"head_dim", artifact.headDim},
      {"value_dim", artifact.valueDim},
      {"dtype", dtypeName(artifact.dtype)},
      {"aggregation", artifact.aggregation}};
  root["static_parameters"] = OrderedJson::array();
  for (const auto &[name, value] : artifact.staticParameters)
    root["static_parameters"].push_back(OrderedJson::array({name, value}));
  root["signature"] = signatureToJson(artifact.signature());
  root["modules"] = OrderedJson::array();
  const SectionRange *range = ranges.data();
  for (const TargetModule &module : artifact.modules)
    root["modules"].push_back(moduleToJson(module, range));
  if (!artifact.backwardModules.empty()) {
    root["backward_signature"] = signatureToJson(artifact.backwardModules.front().plan);
    root["backward_modules"] = OrderedJson::array();
    for (const TargetModule &module : artifact.backwardModules)
      root["backward_modules"].push_back(moduleToJson(module, range));
  }
  return root.dump(1, ' ', false, OrderedJson::error_handler_t::replace);
}

} // namespace tercet
