#include "TableRun.h"

#include "Isolation.h"

#include "tercet/rt/SimulatedGpu.h"

namespace tercet::run {
namespace {

using cli::Json;

Json deviceJson(const OpenedTarget &opened, const std::string &target) {
  if (!opened.device)
    return {{"target", target}, {"name", "CPU"}, {"driver", "the host processor"}};
  const rt::GpuProperties &device = opened.device->properties();
  return {{"target", device.target},
          {"name", device.name},
          {"architecture", device.architecture},
          {"driver", device.driver},
          {"multiprocessors", device.multiprocessors},
          {"memory_bytes", device.memoryBytes},
          {"l2_bytes", device.l2Bytes},
          {"clock_ghz", device.clockGHz}};
}

class TableRun {
public:
  explicit TableRun(const TableOptions &options) : options(options) {}

  Result<Json> run() {
    TERCET_TRY(CaseFile file, readCaseFile(options.table));
    Json results = {{"command", "cases"}, {"commit", file.commit}, {"compiler", file.compiler}};
    TERCET_TRY(results["device"], device());
    results["passed"] = true;
    results["cases"] = results["benchmarks"] = Json::array();
    size_t ran = 0;
    bool passed = true;
    auto record = [&](const char *list, Json result) {
      bool skipped = result.contains("skipped");
      ran += !skipped;
      passed = passed && (skipped || result["passed"].get<bool>());
      results[list].push_back(std::move(result));
    };
    for (const CaseEntry &entry : file.cases)
      if (options.cases && wanted(entry.name))
        record("cases", each(Json{{"name", entry.name}, {"spec", entry.spec}, {"module", ""}},
                             [&](const RunTarget &target) { return toJson(runCase(target, entry)); }));
    for (const BenchmarkEntry &entry : file.benchmarks)
      if (options.benchmarks && wanted(entry.name))
        record("benchmarks",
               each(toJson(BenchmarkResult{.name = entry.name, .spec = entry.spec}),
                    [&](const RunTarget &target) { return toJson(runBenchmark(target, entry, options.timing)); }));
    if (ran == 0)
      return Status::make(Code::unsupportedTarget, "no entry of {} runs on '{}'", options.table, options.target);
    results["passed"] = passed;
    return results;
  }

private:
  bool wanted(const std::string &name) const { return name.find(options.only) != std::string::npos; }

  Result<Json> device() {
    if (!options.isolated) {
      TERCET_TRY(opened, openTarget(options.target));
      return deviceJson(opened, options.target);
    }
    TERCET_TRY(
        Json answer,
        runIsolated(
            [&]() -> Json {
              Result<OpenedTarget> target = openTarget(options.target);
              if (!target.ok())
                return {{"code", static_cast<int>(target.status().code())}, {"message", target.status().message()}};
              return {{"device", deviceJson(*target, options.target)}};
            },
            options.seconds));
    if (answer.contains("message"))
      return Status::make(static_cast<Code>(answer["code"].get<int>()), "{}", answer["message"].get<std::string>());
    return answer["device"];
  }

  /// The object of one entry; `name` and so on stand for it where it gave none.
  template <typename Work> Json each(Json otherwise, Work work) {
    fmt::print(stderr, "{}\n", otherwise["name"].get<std::string>());
    if (!options.isolated)
      return work(opened.view(options.target, options.beside));
    Result<Json> result = runIsolated(
        [&]() -> Json {
          Result<OpenedTarget> target = openTarget(options.target);
          if (target.ok())
            return work(target->view(options.target, options.beside));
          otherwise["error"] = target.status().message();
          return otherwise;
        },
        options.seconds);
    if (result.ok() && result->contains("passed"))
      return *std::move(result);
    if (!result.ok())
      otherwise["error"] = result.status().message();
    otherwise["passed"] = false;
    return otherwise;
  }

  const TableOptions &options;
  OpenedTarget opened; ///< where entries share this process
};

} // namespace

Result<OpenedTarget> openTarget(const std::string &target) {
  SessionOptions options;
  options.useCache = false;
  options.openDevice = [](const std::string &name) { return rt::openSimulatedGpu(name); };
  OpenedTarget opened;
  TERCET_TRY(opened.session, Session::create(std::move(options)));
  if (!target.starts_with("cpu")) {
    TERCET_TRY(opened.device, opened.session->device(target));
  }
  return opened;
}

Result<Json> runTable(const TableOptions &options) { return TableRun(options).run(); }

} // namespace tercet::run
