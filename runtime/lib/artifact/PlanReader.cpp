// Plans from JSON: slots with their tensor maps, nodes within bounded nesting, buffers and grouping.
#include "PlanReader.h"

#include "Manifest.h"
#include "ManifestLimits.h"
#include "ManifestNames.h"

namespace tercet {
namespace {

using Json = nlohmann::json;

std::vector<Expr> exprsOf(JsonFields &fields, const Json &object, const char *field) {
  std::vector<Expr> exprs;
  for (const Json &value : fields.array(object, field, mostAxes))
    exprs.push_back(fields.exprValue(value, field));
  return exprs;
}

PlanTensorMap mapOf(JsonFields &fields, const Json &object) {
  PlanTensorMap map;
  std::string of = fields.name(object, "of");
  if (!fields.failed() && of != "buffer" && of != "tensor")
    fields.fail("a tensor map of '{}', which is neither buffer nor tensor", of);
  map.ofBuffer = of == "buffer";
  map.dtype = dtypeField(fields, object);
  map.offset = fields.expr(object, "offset");
  map.sizes = exprsOf(fields, object, "sizes");
  map.strides = exprsOf(fields, object, "strides");
  for (const Json &extent : fields.array(object, "box", mostAxes))
    map.box.push_back(fields.integerValue(extent, "box", 1, largestBox));
  std::string swizzle = fields.name(object, "swizzle");
  if (!fields.failed() && !parseKind(swizzleNames, swizzle, map.swizzle))
    fields.fail("unknown swizzle '{}'", swizzle);
  return map;
}

PlanSlot slotOf(JsonFields &fields, const Json &list) {
  PlanSlot slot;
  if (!list.is_array() || list.size() < 2 || list.size() > 3) {
    fields.fail("a slot must be a pair, or a tensor map's triple");
    return slot;
  }
  std::string kind = fields.nameValue(list[0], "slot kind");
  if (!fields.failed() && !parseKind(slotKindNames, kind, slot.kind))
    fields.fail("unknown slot kind '{}'", kind);
  bool isMap = slot.kind == PlanSlot::Kind::tensorMap;
  if (isMap != (list.size() == 3))
    fields.fail("a slot of kind '{}' has {} fields", kind, list.size());
  if (fields.failed())
    return slot;
  if (slot.kind == PlanSlot::Kind::integer)
    slot.value = fields.exprValue(list[1], "slot");
  else
    slot.name = fields.nameValue(list[1], "slot");
  if (isMap)
    slot.map = mapOf(fields, list[2]);
  return slot;
}

PlanNode nodeOf(JsonFields &fields, const Json &object, int depth) {
  PlanNode node;
  std::string kind = fields.name(object, "kind");
  if (!fields.failed() && !parseKind(nodeKindNames, kind, node.kind))
    fields.fail("unknown node kind '{}'", kind);
  node.callee = fields.name(object, "callee");
  node.stage = fields.name(object, "stage");
  const Json &grid = fields.array(object, "grid", 3);
  if (!fields.failed() && grid.size() != 3)
    fields.fail("a grid must have 3 extents, not {}", grid.size());
  for (size_t axis = 0; axis < grid.size(); ++axis)
    node.grid[axis] = fields.exprValue(grid[axis], "grid");
  for (const Json &slot : fields.array(object, "slots", mostSlots))
    node.slots.push_back(slotOf(fields, slot));
  for (const Json &name : fields.array(object, "kernels", mostKernels))
    node.kernels.push_back(fields.nameValue(name, "kernels"));
  node.flops = fields.expr(object, "flops");
  if (node.kind == PlanNode::Kind::memset) {
    node.bytes = fields.expr(object, "bytes");
    node.byte = static_cast<uint8_t>(fields.integer(object, "byte", 0, UINT8_MAX));
  }
  const Json &body = fields.array(object, "body", mostNodes);
  if (!body.empty() && depth >= deepestBody)
    fields.fail("nodes nest deeper than {}", deepestBody);
  for (const Json &inner : body) {
    if (fields.failed())
      break;
    node.body.push_back(nodeOf(fields, inner, depth + 1));
  }
  return node;
}

} // namespace

DType dtypeField(JsonFields &fields, const Json &object) {
  DType dtype = DType::f32;
  std::string name = fields.name(object, "dtype");
  if (!fields.failed() && !parseDType(name, dtype))
    fields.fail("unknown dtype '{}'", name);
  return dtype;
}

Plan planField(JsonFields &fields, const Json &object, const PlanSignature &signature) {
  Plan plan;
  static_cast<PlanSignature &>(plan) = signature;
  for (const Json &buffer : fields.array(object, "buffers", mostNodes))
    plan.buffers.push_back(
        {fields.name(buffer, "name"), fields.expr(buffer, "bytes"), fields.text(buffer, "purpose", longestText)});
  const Json &grouping = fields.object(object, "grouping");
  plan.grouping.unitBytes = fields.expr(grouping, "unit_bytes");
  plan.grouping.rowBytes = fields.expr(grouping, "row_bytes");
  plan.grouping.budgetBytes = fields.expr(grouping, "budget_bytes");
  plan.grouping.slices = fields.expr(grouping, "slices");
  plan.grouping.rows = fields.expr(grouping, "rows");
  plan.grouping.itemsPerPair = fields.expr(grouping, "items_per_pair");
  for (const Json &node : fields.array(object, "nodes", mostNodes))
    plan.nodes.push_back(nodeOf(fields, node, 0));
  return plan;
}

} // namespace tercet
