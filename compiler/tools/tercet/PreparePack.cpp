#include "PreparePack.h"

#include "PackRows.h"
#include "Progress.h"

#include "tercet/CompileVariants.h"
#include "tercet/ScheduleSpace.h"

#include <atomic>
#include <chrono>
#include <thread>

namespace tercet::cli {
namespace {

using tune::Pack;
using tune::PackCandidate;
using tune::PackSpace;

double secondsNow() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Control characters of a compiler's log become spaces: a refusal is one line.
std::string oneLine(std::string text) {
  for (char &c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      c = ' ';
  return text;
}

/// Compiles the candidates of all spaces with two threads; what NVRTC does runs in processes of its own.
class CandidateCompiler {
public:
  CandidateCompiler(const VariantCompiler &compiler, Pack &pack) : compiler(compiler), pack(pack) {}

  Status run() {
    std::vector<std::pair<PackSpace *, PackCandidate *>> work;
    for (PackSpace &space : pack.spaces)
      for (size_t index = 1; index < space.candidates.size(); ++index)
        work.emplace_back(&space, &space.candidates[index]);
    Progress progress("prepare", static_cast<int64_t>(work.size()));
    std::atomic<size_t> next = 0;
    auto compileAll = [&] {
      for (size_t index; (index = next++) < work.size() && ok();) {
        compileOne(*work[index].first, *work[index].second);
        progress.advance();
      }
    };
    std::thread other(compileAll);
    compileAll();
    other.join();
    return std::move(failure);
  }

private:
  bool ok() {
    std::lock_guard<std::mutex> guard(mutex);
    return failure.ok();
  }

  void compileOne(const PackSpace &space, PackCandidate &candidate) {
    Result<CompiledVariant> variant = compiler.compile(space.kernel, candidate.schedule.text);
    std::lock_guard<std::mutex> guard(mutex);
    if (!variant.ok()) {
      failure = variant.takeStatus();
      return;
    }
    const KernelResources &resources = variant->resources;
    candidate.registers = resources.registers.value_or(0);
    candidate.spillBytes = resources.spillBytes.value_or(0);
    candidate.sharedBytes = resources.sharedBytes.value_or(0);
    candidate.notes = resources.notes;
    candidate.refusal = oneLine(variant->refusal);
    if (!candidate.refusal.empty())
      return;
    candidate.artifact = pack.artifacts.size();
    pack.artifacts.push_back(variant->artifact.serialize());
  }

  const VariantCompiler &compiler;
  Pack &pack;
  std::mutex mutex;
  Status failure;
};

PackSpace packSpace(ScheduleSpace space, int64_t most, int64_t &left) {
  PackSpace packed{space.kernel, {}, std::move(space.pruned)};
  for (ScheduleCandidate &candidate : space.candidates) {
    if (most > 0 && static_cast<int64_t>(packed.candidates.size()) >= most) {
      ++left;
      continue;
    }
    PackCandidate taken;
    taken.schedule = {std::move(candidate.text), std::move(candidate.knobs), candidate.predicted};
    packed.candidates.push_back(std::move(taken));
  }
  packed.candidates.front().artifact = 0; // the base
  return packed;
}

Json spaceJson(const PackSpace &space) {
  Json refused = Json::array();
  for (const PackCandidate &candidate : space.candidates)
    if (!candidate.refusal.empty())
      refused.push_back({{"schedule", candidate.schedule.text}, {"refusal", candidate.refusal}});
  return {{"kernel", space.kernel},
          {"candidates", space.candidates.size()},
          {"compiled", space.candidates.size() - refused.size()},
          {"pruned", space.pruned},
          {"refused", std::move(refused)}};
}

} // namespace

Result<Json> preparePack(const PrepareRequest &request) {
  const LoadedSpec &spec = request.spec;
  const reference::Shape &shape = request.shape;
  if (spec.info.program.order)
    return Status::make(Code::unsupportedTarget,
                        "spec '{}' has a token order, for which packs have no rows to compare yet", spec.info.name);
  Problem problem{shape.headDim, shape.valueDim, request.dtype, request.target};
  problem.expected = ExpectedCall{shape.batch, shape.heads, shape.headsKV, shape.tokensQ, shape.tokensK, std::nullopt};
  problem.deterministic = true; // what is compared with is the shipped default, or what was named
  request.schedules.applyTo(problem);
  TERCET_TRY(std::vector<ScheduleSpace> spaces, scheduleSpaces(spec.toCompile, problem));
  std::erase_if(spaces, [](const ScheduleSpace &space) { return space.candidates.size() < 2; });
  if (spaces.empty())
    return Status::make(Code::unsupportedTarget, "'{}' has no choice of schedules for {}", spec.info.name,
                        request.target);

  double begin = secondsNow();
  TERCET_TRY(auto compiler, VariantCompiler::create(spec.toCompile, problem));
  const Artifact &base = compiler->base().artifact;
  Pack pack;
  pack.specName = spec.info.name;
  pack.key = {base.specDigest, base.modules.front().target, std::string(dtypeName(request.dtype)), shape.headDim,
              shape.valueDim};
  pack.batch = shape.batch;
  pack.heads = shape.heads;
  pack.headsKV = shape.headsKV;
  pack.queries = shape.tokensQ;
  pack.keys = shape.tokensK;
  pack.parameters = spec.runtimeSettings;
  pack.base = problem.schedules;
  pack.compiler = base.compiler;
  pack.nvrtc = compiler->nvrtcVersion();
  pack.date = tune::dateNow();
  pack.artifacts.push_back(base.serialize());
  int64_t left = 0;
  for (ScheduleSpace &space : spaces)
    pack.spaces.push_back(packSpace(std::move(space), request.most, left));
  TERCET_RETURN_IF_ERROR(CandidateCompiler(*compiler, pack).run());
  double compileSeconds = secondsNow() - begin;
  TERCET_RETURN_IF_ERROR(expectRows(spec, base, pack));
  std::vector<uint8_t> bytes = pack.serialize();
  TERCET_RETURN_IF_ERROR(Pack::parse(bytes).takeStatus()); // what is written can be read
  TERCET_RETURN_IF_ERROR(pack.save(request.output));

  size_t compiled = pack.artifacts.size();
  Json object = {{"command", "tune"},
                 {"spec", spec.info.name},
                 {"target", pack.key.target},
                 {"dtype", pack.key.dtype},
                 {"settings", spec.settingsJson()},
                 {"prepared", request.output},
                 {"bytes", bytes.size()},
                 {"nvrtc", pack.nvrtc},
                 {"kept", pack.kept},
                 {"expected_rows", pack.find("rows")->shape.front()},
                 {"left_out_by_most", left},
                 {"compiled", compiled},
                 {"compile_seconds", compileSeconds},
                 {"compiled_per_minute", 60 * static_cast<double>(compiled) / compileSeconds},
                 {"oracle_seconds", secondsNow() - begin - compileSeconds}};
  object["kernels"] = Json::array();
  for (const PackSpace &space : pack.spaces)
    object["kernels"].push_back(spaceJson(space));
  return object;
}

std::string prepareText(const Json &object) {
  std::string text = fmt::format("{} for {}: {} artifacts in {:.1f} s, {:.1f} MB -> {}\n",
                                 object["spec"].get<std::string>(), object["target"].get<std::string>(),
                                 object["compiled"].get<size_t>(), object["compile_seconds"].get<double>(),
                                 object["bytes"].get<double>() / 1e6, object["prepared"].get<std::string>());
  for (const Json &space : object["kernels"]) {
    text += fmt::format("{}: {} candidates, {} refused, {} pruned by rules\n", space["kernel"].get<std::string>(),
                        space["candidates"].get<size_t>(), space["refused"].size(), space["pruned"].size());
    for (const Json &refused : space["refused"])
      text += fmt::format("  {}: {}\n", refused["schedule"].get<std::string>(), refused["refusal"].get<std::string>());
  }
  return text;
}

} // namespace tercet::cli
