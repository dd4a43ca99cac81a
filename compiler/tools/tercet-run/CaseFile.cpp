// The table is made by tercet-bundle and read here; a field of another type is a table of another version.
#include "CaseFile.h"
#include "Output.h"

#include "tercet/AtomicFile.h"

namespace tercet::run {
namespace {

using cli::Json;

constexpr uint64_t largestTable = 16 << 20;

std::vector<std::pair<std::string, double>> numbersOf(const Json &object) {
  std::vector<std::pair<std::string, double>> numbers;
  for (const auto &[name, value] : object.items())
    numbers.emplace_back(name, value.get<double>());
  return numbers;
}

std::vector<std::filesystem::path> pathsOf(const Json &list, const std::filesystem::path &folder) {
  std::vector<std::filesystem::path> paths;
  for (const Json &path : list)
    paths.push_back(folder / path.get<std::string>());
  return paths;
}

Bounds boundsOf(const Json &object) {
  return {object.at("relative_l2").get<double>(), object.at("max").get<double>(), object.at("mean").get<double>()};
}

CaseEntry caseOf(const Json &object, const std::filesystem::path &folder) {
  CaseEntry entry;
  entry.name = object.at("name").get<std::string>();
  entry.spec = object.at("spec").get<std::string>();
  entry.artifacts = pathsOf(object.at("artifacts"), folder);
  entry.tensors = folder / object.at("tensors").get<std::string>();
  entry.inputs = object.at("inputs").get<std::vector<std::string>>();
  entry.parameters = numbersOf(object.at("parameters"));
  entry.otherParameters = numbersOf(object.at("other_parameters"));
  entry.o = boundsOf(object.at("bounds").at("o"));
  entry.hasLse = object.at("bounds").contains("lse");
  if (entry.hasLse)
    entry.lse = boundsOf(object.at("bounds").at("lse"));
  entry.hasClasses = object.at("classes").get<bool>();
  return entry;
}

BenchmarkEntry benchmarkOf(const Json &object, const std::filesystem::path &folder) {
  BenchmarkEntry entry;
  entry.name = object.at("name").get<std::string>();
  entry.spec = object.at("spec").get<std::string>();
  entry.artifacts = pathsOf(object.at("artifacts"), folder);
  const Json &shape = object.at("shape");
  entry.batch = shape.at("b").get<int64_t>();
  entry.heads = shape.at("h").get<int64_t>();
  entry.headsKV = shape.at("hkv").get<int64_t>();
  entry.queries = shape.at("n").get<int64_t>();
  entry.keys = shape.at("m").get<int64_t>();
  entry.parameters = numbersOf(object.at("parameters"));
  return entry;
}

} // namespace

Result<CaseFile> readCaseFile(const std::filesystem::path &path) {
  TERCET_TRY(std::vector<uint8_t> bytes, readWholeFile(path, largestTable));
  std::filesystem::path folder = path.parent_path();
  CaseFile file;
  try { // the JSON library reports missing fields and other types by exception
    Json root = Json::parse(bytes.begin(), bytes.end());
    file.compiler = root.at("compiler").get<std::string>();
    file.commit = root.at("commit").get<std::string>();
    for (const Json &entry : root.at("cases"))
      file.cases.push_back(caseOf(entry, folder));
    for (const Json &entry : root.at("benchmarks"))
      file.benchmarks.push_back(benchmarkOf(entry, folder));
  } catch (const Json::exception &error) {
    return Status::make(Code::invalidArgument, "{} is no table of cases: {}", path.string(), error.what());
  }
  return file;
}

} // namespace tercet::run
