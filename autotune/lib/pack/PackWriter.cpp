#include "PackFormat.h"

#include <nlohmann/json.hpp>

namespace tercet::tune {
namespace {

using WrittenJson = nlohmann::ordered_json;

WrittenJson rangeJson(const SectionRange &range) { return {{"offset", range.offset}, {"size", range.size}}; }

WrittenJson pairsJson(const std::vector<std::pair<std::string, std::string>> &pairs) {
  WrittenJson list = WrittenJson::array();
  for (const auto &[name, value] : pairs)
    list.push_back({name, value});
  return list;
}

WrittenJson boundsJson(const ErrorBounds &bounds) {
  return {{"relative_l2", bounds.relativeL2}, {"max", bounds.max}, {"mean", bounds.mean}};
}

WrittenJson candidateJson(const PackCandidate &candidate) {
  WrittenJson object = {{"schedule", candidate.schedule.text},
                        {"knobs", pairsJson(candidate.schedule.knobs)},
                        {"predicted", candidate.schedule.predicted},
                        {"refusal", candidate.refusal}};
  object["artifact"] =
      candidate.artifact == PackCandidate::noArtifact ? int64_t{-1} : static_cast<int64_t>(candidate.artifact);
  object["registers"] = candidate.registers;
  object["spill_bytes"] = candidate.spillBytes;
  object["shared_bytes"] = candidate.sharedBytes;
  object["notes"] = candidate.notes;
  return object;
}

} // namespace

std::string writePackManifest(const Pack &pack, const std::vector<SectionRange> &ranges) {
  const RecordKey &key = pack.key;
  WrittenJson root = {{"spec", pack.specName},      {"digest", key.spec},      {"target", key.target},
                      {"dtype", key.dtype},         {"head_dim", key.headDim}, {"value_dim", key.valueDim},
                      {"direction", key.direction}, {"batch", pack.batch},     {"heads", pack.heads},
                      {"key_heads", pack.headsKV},  {"queries", pack.queries}, {"keys", pack.keys},
                      {"kept", pack.kept}};
  root["parameters"] = WrittenJson::array();
  for (const auto &[name, value] : pack.parameters)
    root["parameters"].push_back({{"name", name}, {"value", value}});
  root["base"] = pairsJson(pack.base);
  root["compiler"] = pack.compiler;
  root["nvrtc"] = pack.nvrtc;
  root["date"] = pack.date;
  root["generator"] = pack.generator;
  root["bounds"] = {{"o", boundsJson(pack.o)}};
  if (pack.lse)
    root["bounds"]["lse"] = boundsJson(*pack.lse);
  size_t section = 0;
  root["expected"] = WrittenJson::array();
  for (const ExpectedTensor &tensor : pack.expected)
    root["expected"].push_back({{"name", tensor.name},
                                {"dtype", std::string(dtypeName(tensor.dtype))},
                                {"shape", tensor.shape},
                                {"range", rangeJson(ranges[section++])}});
  root["artifacts"] = WrittenJson::array();
  while (section < ranges.size())
    root["artifacts"].push_back(rangeJson(ranges[section++]));
  root["spaces"] = WrittenJson::array();
  for (const PackSpace &space : pack.spaces) {
    WrittenJson candidates = WrittenJson::array();
    for (const PackCandidate &candidate : space.candidates)
      candidates.push_back(candidateJson(candidate));
    root["spaces"].push_back(
        {{"kernel", space.kernel}, {"candidates", std::move(candidates)}, {"pruned", space.pruned}});
  }
  return root.dump();
}

} // namespace tercet::tune
