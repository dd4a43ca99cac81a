// JSON to artifact. The text is untrusted: counts and lengths are bounded field by field.
#include "Manifest.h"
#include "ManifestLimits.h"
#include "ManifestNames.h"
#include "PlanReader.h"

#include "tercet/JsonFields.h"
#include "tercet/PlanCheck.h"

namespace tercet {
namespace {

using Json = nlohmann::json;

PlanArgument argumentOf(JsonFields &fields, const Json &object) {
  PlanArgument argument;
  argument.name = fields.name(object, "name");
  std::string role = fields.name(object, "role");
  if (!fields.failed() && !parseRole(role, argument.role))
    fields.fail("unknown role '{}'", role);
  argument.optional = fields.boolean(object, "optional");
  argument.isOutput = fields.boolean(object, "output");
  argument.dtype = dtypeField(fields, object);
  if (hasAxes(argument.role))
    for (const Json &axis : fields.array(object, "axes", 4))
      argument.axes.push_back(fields.integerValue(axis, "an axis", lastTableAxis, largestSize));
  return argument;
}

PlanParameter parameterOf(JsonFields &fields, const Json &object) {
  PlanParameter parameter;
  parameter.name = fields.name(object, "name");
  parameter.value = fields.finite(object, "value");
  parameter.isInteger = fields.boolean(object, "integer");
  parameter.minimum = fields.finite(object, "minimum");
  parameter.maximum = fields.finite(object, "maximum");
  return parameter;
}

PlanOrder orderOf(JsonFields &fields, const Json &object) {
  PlanOrder order;
  for (const Json &name : fields.array(object, "grid", TokenOrder::axes))
    order.grid.push_back(fields.nameValue(name, "grid"));
  for (const Json &size : fields.array(object, "tile", TokenOrder::axes))
    order.tile.push_back(fields.integerValue(size, "tile", 1, largestTile));
  std::string text = fields.name(object, "text");
  if (!fields.failed() && !parseKind(textPlaceNames, text, order.text))
    fields.fail("unknown place of text '{}'", text);
  return order;
}

PlanSignature signatureOf(JsonFields &fields, const Json &object) {
  PlanSignature signature;
  signature.blockQ = fields.integer(object, "block_q", 0, largestSize);
  signature.blockK = fields.integer(object, "block_k", 0, largestSize);
  if (object.contains("order"))
    signature.order = orderOf(fields, fields.object(object, "order"));
  for (const Json &argument : fields.array(object, "arguments", mostArguments))
    signature.arguments.push_back(argumentOf(fields, argument));
  for (const Json &parameter : fields.array(object, "parameters", mostArguments))
    signature.parameters.push_back(parameterOf(fields, parameter));
  return signature;
}

SectionRange rangeOf(JsonFields &fields, const Json &object, const char *field) {
  const Json &range = fields.object(object, field);
  return {static_cast<uint64_t>(fields.integer(range, "offset", 0, largestSize)),
          static_cast<uint64_t>(fields.integer(range, "size", 0, largestSize))};
}

GpuKernelInfo gpuOf(JsonFields &fields, const Json &object, std::vector<SectionRange> &ranges) {
  GpuKernelInfo gpu;
  gpu.threads = fields.integer(object, "threads", 1, 1024);
  gpu.clusterSize = fields.integer(object, "cluster_size", 1, 8);
  gpu.dynamicSharedBytes = fields.integer(object, "dynamic_shared_bytes", 0, 1 << 20);
  gpu.staticSharedBytes = fields.integer(object, "static_shared_bytes", 0, 1 << 20);
  gpu.registers = fields.integer(object, "registers", 0, 1 << 16);
  gpu.spillBytes = fields.integer(object, "spill_bytes", 0, largestSize);
  gpu.stackBytes = fields.integer(object, "stack_bytes", 0, largestSize);
  gpu.codeBytes = fields.integer(object, "code_bytes", 0, largestSize);
  gpu.compileMs = fields.finite(object, "compile_ms");
  for (const Json &note : fields.array(object, "notes", mostNotes))
    gpu.notes.push_back(fields.textValue(note, "notes", longestText));
  for (const char *image : {"cubin", "ptx", "source"})
    ranges.push_back(rangeOf(fields, object, image));
  return gpu;
}

TargetModule moduleOf(JsonFields &fields, const Json &object, const PlanSignature &signature,
                      std::vector<SectionRange> &ranges) {
  TargetModule module;
  module.target = fields.name(object, "target");
  ranges.push_back(rangeOf(fields, object, "code"));
  for (const Json &kernel : fields.array(object, "kernels", mostKernels)) {
    module.kernels.push_back({fields.name(kernel, "name"), fields.integer(kernel, "scratch_bytes", 0, int64_t{1} << 32),
                              fields.text(kernel, "schedule", longestText)});
    if (module.isGpu())
      module.kernels.back().gpu = gpuOf(fields, fields.object(kernel, "gpu"), ranges);
  }
  if (object.contains("remarks"))
    for (const Json &remark : fields.array(object, "remarks", mostRemarks))
      module.remarks.push_back(fields.textValue(remark, "remarks", longestText));
  module.plan = planField(fields, fields.object(object, "plan"), signature);
  return module;
}

/// The modules of a direction, and what they have in common.
std::vector<TargetModule> modulesOf(JsonFields &fields, const Json &root, const char *signatureField,
                                    const char *modulesField, std::vector<SectionRange> &ranges) {
  std::vector<TargetModule> modules;
  PlanSignature signature = signatureOf(fields, fields.object(root, signatureField));
  for (const Json &module : fields.array(root, modulesField, mostModules)) {
    if (fields.failed())
      break;
    modules.push_back(moduleOf(fields, module, signature, ranges));
  }
  return modules;
}

} // namespace

Status readManifest(std::string_view text, Artifact &artifact, std::vector<SectionRange> &ranges) {
  JsonFields fields;
  Json root = fields.parse(text);
  const Json &spec = fields.object(root, "spec");
  artifact.specName = fields.name(spec, "name");
  artifact.specText = fields.text(spec, "text", longestSpec);
  artifact.specDigest = fields.name(spec, "digest");
  artifact.compiler = fields.text(root, "compiler", longestText);
  artifact.headDim = fields.integer(root, "head_dim", 1, largestHeadDim);
  artifact.valueDim = fields.integer(root, "value_dim", 1, largestHeadDim);
  artifact.dtype = dtypeField(fields, root);
  artifact.aggregation = fields.name(root, "aggregation");
  for (const Json &pair : fields.array(root, "static_parameters", mostArguments)) {
    if (!pair.is_array() || pair.size() != 2) {
      fields.fail("a static parameter must be a pair");
      break;
    }
    artifact.staticParameters.emplace_back(fields.nameValue(pair[0], "static parameter"),
                                           fields.textValue(pair[1], "static parameter", longestText));
  }
  artifact.modules = modulesOf(fields, root, "signature", "modules", ranges);
  if (!fields.failed() && (root.contains("backward_modules") || root.contains("backward_signature"))) {
    artifact.backwardModules = modulesOf(fields, root, "backward_signature", "backward_modules", ranges);
    if (!fields.failed() && artifact.backwardModules.empty())
      fields.fail("a backward without a module");
  }
  return fields.takeStatus();
}

} // namespace tercet
