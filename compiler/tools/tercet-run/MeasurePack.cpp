#include "MeasurePack.h"

#include "Isolation.h"
#include "PackBench.h"

#include "tercet/Cpu.h"
#include "tercet/autotune/Database.h"
#include "tercet/autotune/Report.h"

#include <sys/mman.h>

namespace tercet::run {
namespace {

using cli::Json;
using tune::Pack;
using tune::PackSpace;

tune::Machine machineOf(const OpenedTarget &opened, const Pack &pack) {
  if (!opened.device)
    return {processorName(), opened.session->threads(), "", ""};
  const rt::GpuProperties &device = opened.device->properties();
  return {device.name, device.multiprocessors, device.driver, pack.nvrtc};
}

tune::Cost costOf(const tune::Estimate &estimate) {
  return {estimate.median, estimate.low, estimate.high, estimate.samples};
}

/// What the winner of one kernel's search is worth remembering as; without schedules where that is the default.
tune::Record recordOf(const Pack &pack, const PackSpace &packed, const tune::Space &space,
                      const tune::TuneResult &result, const tune::Machine &machine) {
  tune::Record record;
  record.key = pack.key;
  record.specName = pack.specName;
  record.shape = pack.shape();
  size_t best = result.beatsDefault() ? result.best : 0;
  record.schedules = pack.base;
  if (best != 0) {
    std::erase_if(record.schedules, [&](const auto &named) { return named.first == packed.kernel; });
    record.schedules.emplace_back(packed.kernel, space.candidates[best].text);
  }
  record.cost = costOf(result.candidates[best].estimate);
  record.defaultCost = costOf(result.candidates.front().estimate);
  record.machine = machine;
  record.generator = pack.generator;
  record.date = tune::dateNow();
  return record;
}

Json refusedJson(const PackSpace &packed) {
  Json refused = Json::array();
  for (const tune::PackCandidate &candidate : packed.candidates)
    if (!candidate.refusal.empty())
      refused.push_back({{"schedule", candidate.schedule.text}, {"refusal", candidate.refusal}});
  return refused;
}

Result<Json> tuneSpace(const MeasureOptions &options, const Pack &pack, const PackSpace &packed,
                       const OpenedTarget &opened, const std::vector<std::string> &excluded, int64_t *marker) {
  RunTarget target = opened.view(options.target);
  PackBench bench(pack, packed, target, excluded, marker);
  tune::TuneReport report;
  report.space = bench.space();
  report.budgetSeconds = options.budgetSeconds / static_cast<double>(pack.spaces.size());
  TERCET_TRY(report.result, tune::tune(report.space, bench, {.budgetSeconds = report.budgetSeconds}));
  tune::Machine machine = machineOf(opened, pack);
  report.spec = pack.specName;
  report.target = pack.key.target;
  report.device = machine.device;
  report.dtype = pack.key.dtype;
  report.direction = pack.key.direction;
  report.shape = fmt::format("b={},h={},n={},d={},m={},hkv={},dv={}", pack.batch, pack.heads, pack.queries,
                             pack.key.headDim, pack.keys, pack.headsKV, pack.key.valueDim);
  report.date = tune::dateNow();
  report.pruned = packed.pruned;
  TERCET_TRY(std::string line, recordLine(recordOf(pack, packed, report.space, report.result, machine)));
  Json object = tune::reportJson(report);
  object["kernel"] = packed.kernel;
  object["table"] = tune::reportTable(report);
  object["refused"] = refusedJson(packed);
  object["speedup"] = report.result.beatsDefault() ? report.result.gain.median : 1.0;
  object["record"] = std::move(line);
  object["doubt"] = report.result.doubt();
  object["passed"] = true; // the default is what is compared with: without it there is no result
  return object;
}

/// Launches, compares, counts.
Result<Json> simulateSpace(const MeasureOptions &options, const Pack &pack, const PackSpace &packed,
                           const OpenedTarget &opened) {
  RunTarget target = opened.view(options.target);
  PackBench bench(pack, packed, target);
  tune::Space space = bench.space();
  Json candidates = Json::array();
  bool passed = true;
  for (size_t candidate = 0; candidate < space.candidates.size(); ++candidate) {
    Json entry = {{"schedule", space.candidates[candidate].text}};
    target.device->resetCounts();
    Status status = bench.prepare(candidate);
    if (status.code() == Code::unsupportedTarget) // of one candidate as of all: the pack is for another target
      return status;
    std::vector<rt::GpuKernelCounts> counts = target.device->counts();
    if (status.ok())
      status = bench.verify(candidate);
    entry["passed"] = status.ok();
    if (status.ok())
      entry["relative_l2"] = bench.errors().o.relativeL2;
    else
      entry["reason"] = status.message();
    for (const rt::GpuKernelCounts &kernel : counts)
      if (kernel.kernel == packed.kernel)
        for (const auto &[name, value] : kernel.counts)
          entry["counts"][name] = value;
    passed = passed && status.ok();
    bench.release(candidate);
    candidates.push_back(std::move(entry));
  }
  return Json{{"kernel", packed.kernel},
              {"passed", passed},
              {"candidates", std::move(candidates)},
              {"refused", refusedJson(packed)}};
}

/// A number that a child and its parent both see.
class SharedMarker {
public:
  SharedMarker() : memory(::mmap(nullptr, sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (memory != MAP_FAILED)
      *get() = -1;
  }
  ~SharedMarker() {
    if (memory != MAP_FAILED)
      ::munmap(memory, sizeof(int64_t));
  }
  SharedMarker(const SharedMarker &) = delete;
  SharedMarker &operator=(const SharedMarker &) = delete;
  int64_t *get() const { return memory == MAP_FAILED ? nullptr : static_cast<int64_t *>(memory); }

private:
  void *memory;
};

Json failureJson(const Status &status) {
  return {{"code", static_cast<int>(status.code())}, {"message", status.message()}};
}

/// A candidate that ends the child is left out of the next attempt.
Result<Json> tuneIsolated(const MeasureOptions &options, const Pack &pack, const PackSpace &packed) {
  constexpr size_t mostExclusions = 8;
  constexpr double slackSeconds = 120; // context, first launches, the oracle's comparison
  std::vector<std::string> excluded;
  for (;;) {
    SharedMarker marker;
    Result<Json> answer = runIsolated(
        [&]() -> Json {
          Result<OpenedTarget> opened = openTarget(options.target);
          if (!opened.ok())
            return failureJson(opened.status());
          Result<Json> result = tuneSpace(options, pack, packed, *opened, excluded, marker.get());
          return result.ok() ? *std::move(result) : failureJson(result.status());
        },
        options.budgetSeconds * 1.2 + slackSeconds);
    if (answer.ok() && answer->contains("message"))
      return Status::make(static_cast<Code>((*answer)["code"].get<int>()), "{}",
                          (*answer)["message"].get<std::string>());
    if (answer.ok())
      return answer;
    int64_t guilty = marker.get() ? *marker.get() : -1;
    if (guilty <= 0 || guilty >= static_cast<int64_t>(packed.candidates.size()) || excluded.size() >= mostExclusions)
      return Status::make(answer.status().code(), "kernel {}: {}", packed.kernel, answer.status().message());
    excluded.push_back(packed.candidates[static_cast<size_t>(guilty)].schedule.text);
    cli::printWarning(
        fmt::format("kernel {}: {} is left out: {}", packed.kernel, excluded.back(), answer.status().message()));
  }
}

/// The record of the kernel that gained most: records hold what was measured, and no two kernels were varied at once.
Status storeBest(const MeasureOptions &options, Json &object) {
  const Json *best = nullptr;
  for (const Json &space : object["kernels"])
    if (!best || space["speedup"].get<double>() > (*best)["speedup"].get<double>())
      best = &space;
  std::string line = (*best)["record"].get<std::string>();
  object["best_kernel"] = (*best)["kernel"];
  object["speedup"] = (*best)["speedup"];
  object["record"] = Json::parse(line);
  object["database"] = Json();
  object["doubt"] = (*best)["doubt"];
  if (options.database.empty() || !object["doubt"].get<std::string>().empty())
    return {};
  object["database"] = options.database.string();
  TERCET_TRY(tune::StoredRecord stored, tune::parseRecord(line));
  return tune::append(options.database, stored.record);
}

} // namespace

Result<Json> measurePack(const MeasureOptions &options) {
  TERCET_TRY(Pack pack, Pack::load(options.pack));
  Json object = {{"command", "measure"},      {"pack", options.pack.string()},
                 {"spec", pack.specName},     {"target", options.target},
                 {"module", pack.key.target}, {"compiler", pack.compiler},
                 {"prepared_on", pack.date},  {"passed", true}};
  object["kernels"] = Json::array();
  OpenedTarget opened;
  if (!options.isolated) {
    TERCET_TRY(opened, openTarget(options.target));
  }
  bool isSimulated = opened.device && !opened.device->properties().runsCubin;
  object["times"] = !isSimulated;
  for (const PackSpace &packed : pack.spaces) {
    Result<Json> result = isSimulated        ? simulateSpace(options, pack, packed, opened)
                          : options.isolated ? tuneIsolated(options, pack, packed)
                                             : tuneSpace(options, pack, packed, opened, {}, nullptr);
    TERCET_TRY(Json space, std::move(result));
    object["passed"] = object["passed"].get<bool>() && space["passed"].get<bool>();
    object["kernels"].push_back(std::move(space));
  }
  if (!isSimulated)
    TERCET_RETURN_IF_ERROR(storeBest(options, object));
  return object;
}

std::string measureText(const Json &object) {
  std::string text = fmt::format("{} for {} on {}\n", object["spec"].get<std::string>(),
                                 object["module"].get<std::string>(), object["target"].get<std::string>());
  for (const Json &space : object["kernels"]) {
    text += fmt::format("\n{}: {} candidates, {} refused by the compiler\n", space["kernel"].get<std::string>(),
                        space["candidates"].size(), space["refused"].size());
    if (object["times"].get<bool>()) {
      text += space["table"].get<std::string>();
      continue;
    }
    for (const Json &candidate : space["candidates"])
      text += fmt::format("  {:<7} {}{}\n", candidate["passed"].get<bool>() ? "right" : "WRONG",
                          candidate["schedule"].get<std::string>(),
                          candidate.contains("reason") ? ": " + candidate["reason"].get<std::string>() : "");
  }
  if (!object["times"].get<bool>())
    return text + "a simulated device gives no times: nothing is recorded\n";
  if (std::string doubt = object["doubt"].get<std::string>(); !doubt.empty())
    text += fmt::format("\nnothing is recorded: {}\n", doubt);
  if (!object["database"].is_null())
    text += fmt::format("\nrecorded in {}\n", object["database"].get<std::string>());
  return text;
}

} // namespace tercet::run
