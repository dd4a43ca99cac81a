// JSON to pack. The text is untrusted: counts and lengths are bounded field by field.
#include "PackFormat.h"

#include "tercet/JsonFields.h"

namespace tercet::tune {
namespace {

using PackJson = JsonFields::Json;

SectionRange rangeIn(JsonFields &fields, const PackJson &object) {
  return {static_cast<uint64_t>(fields.integer(object, "offset", 0, INT64_MAX)),
          static_cast<uint64_t>(fields.integer(object, "size", 0, INT64_MAX))};
}

std::vector<std::pair<std::string, std::string>> pairsIn(JsonFields &fields, const PackJson &object,
                                                         const char *field) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const PackJson &pair : fields.array(object, field, mostPackKnobs)) {
    if (!pair.is_array() || pair.size() != 2) {
      fields.fail("'{}' must be a list of pairs", field);
      break;
    }
    pairs.emplace_back(fields.nameValue(pair[0], field), fields.textValue(pair[1], field, longestPackText));
  }
  return pairs;
}

std::vector<std::string> textsIn(JsonFields &fields, const PackJson &object, const char *field) {
  std::vector<std::string> texts;
  for (const PackJson &text : fields.array(object, field, mostPackTexts))
    texts.push_back(fields.textValue(text, field, longestPackText));
  return texts;
}

ErrorBounds boundsIn(JsonFields &fields, const PackJson &object) {
  return {fields.finite(object, "relative_l2"), fields.finite(object, "max"), fields.finite(object, "mean")};
}

PackCandidate candidateIn(JsonFields &fields, const PackJson &object) {
  PackCandidate candidate;
  candidate.schedule.text = fields.text(object, "schedule", longestPackText);
  candidate.schedule.knobs = pairsIn(fields, object, "knobs");
  candidate.schedule.predicted = fields.finite(object, "predicted");
  candidate.refusal = fields.text(object, "refusal", longestPackText);
  int64_t artifact = fields.integer(object, "artifact", -1, static_cast<int64_t>(mostPackCandidates));
  candidate.artifact = artifact < 0 ? PackCandidate::noArtifact : static_cast<size_t>(artifact);
  candidate.registers = fields.integer(object, "registers", 0, INT32_MAX);
  candidate.spillBytes = fields.integer(object, "spill_bytes", 0, INT32_MAX);
  candidate.sharedBytes = fields.integer(object, "shared_bytes", 0, INT32_MAX);
  candidate.notes = textsIn(fields, object, "notes");
  return candidate;
}

PackSpace spaceIn(JsonFields &fields, const PackJson &object) {
  PackSpace space;
  space.kernel = fields.name(object, "kernel");
  for (const PackJson &candidate : fields.array(object, "candidates", mostPackCandidates)) {
    if (fields.failed())
      break;
    space.candidates.push_back(candidateIn(fields, candidate));
  }
  space.pruned = textsIn(fields, object, "pruned");
  return space;
}

ExpectedTensor expectedIn(JsonFields &fields, const PackJson &object) {
  constexpr int64_t mostElements = int64_t{1} << 28;
  ExpectedTensor tensor;
  tensor.name = fields.name(object, "name");
  std::string dtype = fields.name(object, "dtype");
  if (!fields.failed() && !parseDType(dtype, tensor.dtype))
    fields.fail("unknown dtype '{}'", dtype);
  int64_t elements = 1;
  for (const PackJson &size : fields.array(object, "shape", 2)) {
    tensor.shape.push_back(fields.integerValue(size, "a size", 1, mostElements));
    elements *= tensor.shape.back();
    if (elements > mostElements)
      fields.fail("the expected '{}' is too large", tensor.name);
    elements = std::min(elements, mostElements);
  }
  return tensor;
}

void readCall(JsonFields &fields, const PackJson &root, Pack &pack) {
  pack.specName = fields.name(root, "spec");
  RecordKey &key = pack.key;
  key.spec = fields.name(root, "digest");
  key.target = fields.name(root, "target");
  key.dtype = fields.name(root, "dtype");
  key.direction = fields.name(root, "direction");
  auto size = [&](const char *field) { return fields.integer(root, field, 1, largestPackSize); };
  key.headDim = size("head_dim");
  key.valueDim = size("value_dim");
  pack.batch = size("batch");
  pack.heads = size("heads");
  pack.headsKV = size("key_heads");
  pack.queries = size("queries");
  pack.keys = size("keys");
  if (!fields.failed() && pack.heads % pack.headsKV != 0)
    fields.fail("{} heads are no multiple of {} key heads", pack.heads, pack.headsKV);
  pack.kept = fields.finite(root, "kept");
  if (!fields.failed() && (pack.kept < 0 || pack.kept > 1))
    fields.fail("'kept' must be a fraction");
  for (const PackJson &parameter : fields.array(root, "parameters", mostPackKnobs))
    pack.parameters.emplace_back(fields.name(parameter, "name"), fields.finite(parameter, "value"));
}

} // namespace

Status readPackManifest(std::string_view text, Pack &pack, std::vector<SectionRange> &ranges) {
  JsonFields fields("pack");
  PackJson root = fields.parse(text);
  readCall(fields, root, pack);
  pack.base = pairsIn(fields, root, "base");
  pack.compiler = fields.text(root, "compiler", longestPackText);
  pack.nvrtc = fields.name(root, "nvrtc");
  pack.date = fields.name(root, "date");
  pack.generator = fields.integer(root, "generator", 0, INT32_MAX);
  const PackJson &bounds = fields.object(root, "bounds");
  pack.o = boundsIn(fields, fields.object(bounds, "o"));
  if (!fields.failed() && bounds.contains("lse"))
    pack.lse = boundsIn(fields, fields.object(bounds, "lse"));
  for (const PackJson &tensor : fields.array(root, "expected", mostExpected)) {
    pack.expected.push_back(expectedIn(fields, tensor));
    ranges.push_back(rangeIn(fields, fields.object(tensor, "range")));
  }
  for (const PackJson &range : fields.array(root, "artifacts", mostPackCandidates))
    ranges.push_back(rangeIn(fields, range));
  pack.artifacts.resize(ranges.size() - pack.expected.size());
  for (const PackJson &space : fields.array(root, "spaces", mostPackSpaces)) {
    if (fields.failed())
      break;
    pack.spaces.push_back(spaceIn(fields, space));
  }
  return fields.takeStatus();
}

} // namespace tercet::tune
