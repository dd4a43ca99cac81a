// JSON to artifact. The text is untrusted: nesting is bounded before the JSON library sees it, counts and lengths are
// bounded field by field, and the JSON library runs without exceptions.
#include "JsonFields.h"
#include "Manifest.h"
#include "ManifestNames.h"

#include "tercet/PlanCheck.h"

namespace tercet {
namespace {

using Json = nlohmann::json;

// Generous against what compilers write, small against what a damaged or hostile file could ask for.
constexpr int deepestNesting = 16;
constexpr int deepestBody = 3;
constexpr size_t longestName = 256, longestText = 4096, longestSpec = 1 << 20;
constexpr size_t mostArguments = 64, mostNodes = 256, mostSlots = 128, mostKernels = 256, mostModules = 32;
constexpr int64_t largestSize = int64_t{1} << 40;

/// Depth of brackets outside strings.
int nestingOf(std::string_view text) {
  int depth = 0, deepest = 0;
  bool inString = false;
  for (size_t index = 0; index < text.size(); ++index) {
    char c = text[index];
    if (inString) {
      if (c == '\\')
        ++index;
      else if (c == '"')
        inString = false;
    } else if (c == '"') {
      inString = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

DType dtypeOf(JsonFields &fields, const Json &object) {
  DType dtype = DType::f32;
  std::string name = fields.text(object, "dtype", longestName);
  if (!fields.failed() && !parseDType(name, dtype))
    fields.fail("unknown dtype '{}'", name);
  return dtype;
}

PlanArgument argumentOf(JsonFields &fields, const Json &object) {
  PlanArgument argument;
  argument.name = fields.text(object, "name", longestName);
  std::string role = fields.text(object, "role", longestName);
  if (!fields.failed() && !parseRole(role, argument.role))
    fields.fail("unknown role '{}'", role);
  argument.optional = fields.boolean(object, "optional");
  argument.isOutput = fields.boolean(object, "output");
  argument.dtype = dtypeOf(fields, object);
  return argument;
}

PlanParameter parameterOf(JsonFields &fields, const Json &object) {
  PlanParameter parameter;
  parameter.name = fields.text(object, "name", longestName);
  parameter.value = fields.finite(object, "value");
  parameter.isInteger = fields.boolean(object, "integer");
  parameter.minimum = fields.finite(object, "minimum");
  parameter.maximum = fields.finite(object, "maximum");
  return parameter;
}

PlanSlot slotOf(JsonFields &fields, const Json &pair) {
  PlanSlot slot;
  if (!pair.is_array() || pair.size() != 2) {
    fields.fail("a slot must be a pair");
    return slot;
  }
  std::string kind = fields.textValue(pair[0], "slot kind", longestName);
  if (!fields.failed() && !parseKind(slotKindNames, kind, slot.kind))
    fields.fail("unknown slot kind '{}'", kind);
  if (slot.kind == PlanSlot::Kind::integer)
    slot.value = fields.exprValue(pair[1], "slot");
  else
    slot.name = fields.textValue(pair[1], "slot", longestName);
  return slot;
}

PlanNode nodeOf(JsonFields &fields, const Json &object, int depth) {
  PlanNode node;
  std::string kind = fields.text(object, "kind", longestName);
  if (!fields.failed() && !parseKind(nodeKindNames, kind, node.kind))
    fields.fail("unknown node kind '{}'", kind);
  node.callee = fields.text(object, "callee", longestName);
  node.stage = fields.text(object, "stage", longestName);
  const Json &grid = fields.array(object, "grid", 3);
  if (!fields.failed() && grid.size() != 3)
    fields.fail("a grid must have 3 extents, not {}", grid.size());
  for (size_t axis = 0; axis < grid.size(); ++axis)
    node.grid[axis] = fields.exprValue(grid[axis], "grid");
  for (const Json &slot : fields.array(object, "slots", mostSlots))
    node.slots.push_back(slotOf(fields, slot));
  for (const Json &name : fields.array(object, "kernels", mostKernels))
    node.kernels.push_back(fields.textValue(name, "kernels", longestName));
  node.flops = fields.expr(object, "flops");
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

Plan planOf(JsonFields &fields, const Json &object) {
  Plan plan;
  plan.blockQ = fields.integer(object, "block_q", 0, largestSize);
  plan.blockK = fields.integer(object, "block_k", 0, largestSize);
  for (const Json &argument : fields.array(object, "arguments", mostArguments))
    plan.arguments.push_back(argumentOf(fields, argument));
  for (const Json &parameter : fields.array(object, "parameters", mostArguments))
    plan.parameters.push_back(parameterOf(fields, parameter));
  for (const Json &buffer : fields.array(object, "buffers", mostNodes))
    plan.buffers.push_back({fields.text(buffer, "name", longestName), fields.expr(buffer, "bytes"),
                            fields.text(buffer, "purpose", longestText)});
  const Json &grouping = fields.object(object, "grouping");
  plan.grouping.unitBytes = fields.expr(grouping, "unit_bytes");
  plan.grouping.budgetBytes = fields.expr(grouping, "budget_bytes");
  plan.grouping.slices = fields.expr(grouping, "slices");
  plan.grouping.itemsPerPair = fields.expr(grouping, "items_per_pair");
  for (const Json &node : fields.array(object, "nodes", mostNodes))
    plan.nodes.push_back(nodeOf(fields, node, 0));
  return plan;
}

TargetModule moduleOf(JsonFields &fields, const Json &object, CodeRange &range) {
  TargetModule module;
  module.target = fields.text(object, "target", longestName);
  range.offset = static_cast<uint64_t>(fields.integer(object, "offset", 0, largestSize));
  range.size = static_cast<uint64_t>(fields.integer(object, "size", 0, largestSize));
  for (const Json &kernel : fields.array(object, "kernels", mostKernels))
    module.kernels.push_back({fields.text(kernel, "name", longestName),
                              fields.integer(kernel, "scratch_bytes", 0, int64_t{1} << 32),
                              fields.text(kernel, "schedule", longestText)});
  return module;
}

} // namespace

Status readManifest(std::string_view text, Artifact &artifact, std::vector<CodeRange> &ranges) {
  JsonFields fields;
  if (nestingOf(text) > deepestNesting) {
    fields.fail("it nests deeper than {}", deepestNesting);
    return fields.takeStatus();
  }
  Json root = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (root.is_discarded()) {
    fields.fail("it is not JSON");
    return fields.takeStatus();
  }
  const Json &spec = fields.object(root, "spec");
  artifact.specName = fields.text(spec, "name", longestName);
  artifact.specText = fields.text(spec, "text", longestSpec);
  artifact.specDigest = fields.text(spec, "digest", longestName);
  artifact.compiler = fields.text(root, "compiler", longestText);
  artifact.headDim = fields.integer(root, "head_dim", 1, largestSize);
  artifact.valueDim = fields.integer(root, "value_dim", 1, largestSize);
  artifact.dtype = dtypeOf(fields, root);
  artifact.aggregation = fields.text(root, "aggregation", longestName);
  for (const Json &pair : fields.array(root, "static_parameters", mostArguments)) {
    if (!pair.is_array() || pair.size() != 2) {
      fields.fail("a static parameter must be a pair");
      break;
    }
    artifact.staticParameters.emplace_back(fields.textValue(pair[0], "static parameter", longestName),
                                           fields.textValue(pair[1], "static parameter", longestText));
  }
  artifact.plan = planOf(fields, fields.object(root, "plan"));
  for (const Json &module : fields.array(root, "modules", mostModules))
    artifact.modules.push_back(moduleOf(fields, module, ranges.emplace_back()));
  return fields.takeStatus();
}

} // namespace tercet
