// Artifact to JSON. Expressions are postfix strings, slots are [kind, name or expression] pairs: short, and readable
// with any JSON viewer.
#include "Manifest.h"
#include "ManifestNames.h"

#include "tercet/ExprText.h"
#include "tercet/PlanCheck.h"

#include <nlohmann/json.hpp>

namespace tercet {
namespace {

using Json = nlohmann::ordered_json;

Json slotToJson(const PlanSlot &slot) {
  bool isInteger = slot.kind == PlanSlot::Kind::integer;
  return Json::array({kindName(slotKindNames, slot.kind), isInteger ? exprPostfix(slot.value) : slot.name});
}

Json nodeToJson(const PlanNode &node) {
  Json result = {{"kind", kindName(nodeKindNames, node.kind)}, {"callee", node.callee}, {"stage", node.stage}};
  result["grid"] = {exprPostfix(node.grid[0]), exprPostfix(node.grid[1]), exprPostfix(node.grid[2])};
  result["slots"] = Json::array();
  for (const PlanSlot &slot : node.slots)
    result["slots"].push_back(slotToJson(slot));
  result["kernels"] = node.kernels;
  result["flops"] = exprPostfix(node.flops);
  result["body"] = Json::array();
  for (const PlanNode &inner : node.body)
    result["body"].push_back(nodeToJson(inner));
  return result;
}

Json planToJson(const Plan &plan) {
  Json result = {{"block_q", plan.blockQ}, {"block_k", plan.blockK}};
  result["arguments"] = Json::array();
  for (const PlanArgument &argument : plan.arguments)
    result["arguments"].push_back({{"name", argument.name},
                                   {"role", roleName(argument.role)},
                                   {"optional", argument.optional},
                                   {"output", argument.isOutput},
                                   {"dtype", dtypeName(argument.dtype)}});
  result["parameters"] = Json::array();
  for (const PlanParameter &parameter : plan.parameters)
    result["parameters"].push_back({{"name", parameter.name},
                                    {"value", parameter.value},
                                    {"integer", parameter.isInteger},
                                    {"minimum", parameter.minimum},
                                    {"maximum", parameter.maximum}});
  result["buffers"] = Json::array();
  for (const PlanBuffer &buffer : plan.buffers)
    result["buffers"].push_back(
        {{"name", buffer.name}, {"bytes", exprPostfix(buffer.bytes)}, {"purpose", buffer.purpose}});
  result["grouping"] = {{"unit_bytes", exprPostfix(plan.grouping.unitBytes)},
                        {"budget_bytes", exprPostfix(plan.grouping.budgetBytes)},
                        {"slices", exprPostfix(plan.grouping.slices)},
                        {"items_per_pair", exprPostfix(plan.grouping.itemsPerPair)}};
  result["nodes"] = Json::array();
  for (const PlanNode &node : plan.nodes)
    result["nodes"].push_back(nodeToJson(node));
  return result;
}

Json moduleToJson(const TargetModule &module, const CodeRange &range) {
  Json kernels = Json::array();
  for (const KernelInfo &kernel : module.kernels)
    kernels.push_back({{"name", kernel.name}, {"scratch_bytes", kernel.scratchBytes}, {"schedule", kernel.schedule}});
  return {{"target", module.target}, {"offset", range.offset}, {"size", range.size}, {"kernels", kernels}};
}

} // namespace

std::string writeManifest(const Artifact &artifact, const std::vector<CodeRange> &ranges) {
  Json root = {{"spec", {{"name", artifact.specName}, {"text", artifact.specText}, {"digest", artifact.specDigest}}},
               {"compiler", artifact.compiler},
               {"head_dim", artifact.headDim},
               {"value_dim", artifact.valueDim},
               {"dtype", dtypeName(artifact.dtype)},
               {"aggregation", artifact.aggregation}};
  root["static_parameters"] = Json::array();
  for (const auto &[name, value] : artifact.staticParameters)
    root["static_parameters"].push_back(Json::array({name, value}));
  root["plan"] = planToJson(artifact.plan);
  root["modules"] = Json::array();
  for (size_t index = 0; index < artifact.modules.size(); ++index)
    root["modules"].push_back(moduleToJson(artifact.modules[index], ranges[index]));
  return root.dump(1, ' ', false, Json::error_handler_t::replace);
}

} // namespace tercet
