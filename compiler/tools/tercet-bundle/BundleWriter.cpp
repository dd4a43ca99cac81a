#include "BundleWriter.h"

#include "ExpectedRows.h"

#include "tercet/Artifact.h"
#include "tercet/AtomicFile.h"
#include "tercet/Jit.h"

namespace tercet::bundle {
namespace {

using cli::Json;

Result<Spec> specOf(const Program &program) {
  for (const compiler::BuiltinSpecInfo &builtin : compiler::listBuiltinSpecs())
    if (builtin.name == program.spec)
      return Spec{builtin.text, program.spec, program.settings};
  return Status::make(Code::internal, "there is no built-in spec '{}'", program.spec);
}

std::string keyOf(const Program &program) {
  std::string key = fmt::format("{}-{}-d{}", program.spec, dtypeName(program.dtype), program.headDim);
  if (program.valueDim != program.headDim)
    key += fmt::format("-dv{}", program.valueDim);
  for (const auto &[name, value] : program.settings)
    key += fmt::format("-{}_{}", name, value);
  return key;
}

Json numbersJson(const std::vector<std::pair<std::string, double>> &numbers) {
  Json object = Json::object();
  for (const auto &[name, value] : numbers)
    object[name] = value;
  return object;
}

Json shapeJson(const reference::Shape &shape) {
  return {{"b", shape.batch},   {"h", shape.heads},   {"hkv", shape.headsKV}, {"n", shape.tokensQ},
          {"m", shape.tokensK}, {"d", shape.headDim}, {"dv", shape.valueDim}};
}

} // namespace

Result<Json> BundleWriter::artifactsOf(const Program &program) {
  std::string key = keyOf(program);
  if (auto known = compiled.find(key); known != compiled.end())
    return known->second;
  TERCET_TRY(Spec spec, specOf(program));
  Json paths = Json::array();
  for (const std::string &target : targets) {
    Result<EmitResult> emitted = emit(spec, {program.headDim, program.valueDim, program.dtype, target}, "artifact");
    if (!emitted.ok() &&
        (emitted.status().code() == Code::unsupportedTarget || emitted.status().code() == Code::compileFailed)) {
      std::string reason = emitted.status().message();
      for (const auto &[name, value] : emitted.status().notes())
        reason += fmt::format("; {}: {}", name, value);
      refusals.push_back({{"program", key}, {"target", target}, {"reason", reason}});
      continue;
    }
    TERCET_RETURN_IF_ERROR(emitted.takeStatus());
    std::string file = target;
    std::replace(file.begin(), file.end(), ':', '-');
    std::string path = fmt::format("artifacts/{}.{}.tercet", key, file);
    std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t *>(emitted->bytes.data()), emitted->bytes.size());
    TERCET_TRY(Artifact artifact, Artifact::parse(bytes));
    compiler = artifact.compiler;
    TERCET_RETURN_IF_ERROR(writeFileAtomically(folder / path, bytes));
    paths.push_back(path);
  }
  compiled[key] = paths;
  return paths;
}

Status BundleWriter::add(const Case &entry) {
  TERCET_TRY(Json artifacts, artifactsOf(entry.program));
  if (artifacts.empty())
    return {};
  TERCET_TRY(Spec text, specOf(entry.program));
  TERCET_TRY(compiler::SpecInfo spec, compiler::inspectSpec(text));
  TERCET_TRY(ExpectedRows expected, expectRows(spec, entry));
  std::string path = fmt::format("tensors/{:03}.safetensors", cases.size());
  TERCET_RETURN_IF_ERROR(compiler::writeTensors(folder / path, expected.tensors));
  Json bounds = Json::object();
  for (const reference::OutputVerdict &output : expected.bounds)
    bounds[output.name] = {
        {"relative_l2", output.relativeL2.bound}, {"max", output.maxError.bound}, {"mean", output.meanError.bound}};
  cases.push_back({{"name", entry.name},
                   {"spec", entry.program.spec},
                   {"artifacts", artifacts},
                   {"tensors", path},
                   {"inputs", expected.inputNames},
                   {"shape", shapeJson(entry.shape)},
                   {"parameters", numbersJson(entry.parameters)},
                   {"other_parameters", numbersJson(entry.otherParameters)},
                   {"bounds", bounds},
                   {"classes", expected.hasClasses}});
  return {};
}

Status BundleWriter::add(const Benchmark &entry) {
  TERCET_TRY(Json artifacts, artifactsOf(entry.program));
  if (!artifacts.empty())
    benchmarks.push_back({{"name", entry.name},
                          {"spec", entry.program.spec},
                          {"artifacts", artifacts},
                          {"shape", shapeJson(entry.shape)},
                          {"parameters", numbersJson(entry.parameters)}});
  return {};
}

Status BundleWriter::finish() {
  Json table = {{"commit", commit}, {"compiler", compiler},     {"targets", targets},
                {"cases", cases},   {"benchmarks", benchmarks}, {"unsupported", refusals}};
  std::string text = table.dump(1) + "\n";
  return writeFileAtomically(folder / "cases.json", {reinterpret_cast<const uint8_t *>(text.data()), text.size()});
}

} // namespace tercet::bundle
