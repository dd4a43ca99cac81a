// tercet tune: searches the schedules of a spec for calls of a shape on this machine, within a budget, and appends what it found to
// the tuning database. Data is made up, seeded; the search, its costs and its reports are the library's (docs/autotuning.md#tuning).
#include "Command.h"
#include "Interrupt.h"
#include "MemoryProbe.h"
#include "Progress.h"
#include "TunePack.h"
#include "TuneRecord.h"

#include "tercet/AtomicFile.h"
#include "tercet/ScheduleSpace.h"
#include "tercet/autotune/Database.h"

#include <charconv>
#include <chrono>

namespace tercet::cli {
namespace {

using Clock = std::chrono::steady_clock;

/// Kept free of the search: reading the bandwidth, writing what was found.
constexpr double secondsOfReports = 0.2;

constexpr size_t mostKnown = 3; // rows of the databases that are tried first

/// "60s", "1.5m", "90".
Result<double> parseBudget(const std::string &text) {
  double value = 0;
  const char *end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, value);
  std::string_view unit(rest, static_cast<size_t>(end - rest));
  double scale = unit.empty() || unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  if (error != std::errc() || scale == 0 || !(value * scale >= 1) || value * scale > 86400)
    return Status::make(Code::invalidArgument, "--budget is '{}'; it must be 1 s to 24 h, such as 60s or 2m", text);
  return value * scale;
}

/// One kernel of one direction that is to be tuned.
struct Job {
  Direction direction;
  ScheduleSpace space;
};

tune::Space spaceOf(const ScheduleSpace &from) {
  tune::Space space{from.kernel, {}};
  for (const ScheduleCandidate &candidate : from.candidates)
    space.candidates.push_back({candidate.text, candidate.knobs, candidate.predicted});
  return space;
}

class TuneCommand final : public Command {
public:
  std::string name() const override { return "tune"; }
  std::string summary() const override { return "search the best schedule on this machine, and remember it"; }
  void declare(Options &options) override {
    spec.declare(options);
    options.text("--shape", shapeOption, "b=1,h=12,n=32760,d=128[,m=,hkv=,dv=]", "the calls to tune for");
    options.text(
        "--target", targetOption, "T",
        "cpu (default), cpu:v4, cpu:v3, cpu:portable or cuda[:N]; with --prepare an architecture such as sm_90a");
    options.choice("--dtype", dtypeOption, {"f32", "f16", "bf16"},
                   "compute input type (default f32; packs for GPUs: bf16)");
    options.text("--budget", budgetOption, "60s", "time for all, compilation included (default 60s)");
    options.text("--db", databaseOption, "FILE", "append to this database instead of the user's");
    options.text("--report", reportOption, "FILE.html", "also write a page with plots");
    options.wholeNumber("--seed", seed, 0, INT64_MAX, "seed of the data and of the search (default 0)");
    options.flag("--grad", grad, "tune the forward for a backward, and the backward");
    packs.declare(options);
    options.json(json);
  }

  Result<ExitCode> run() override {
    TERCET_TRY(budget, parseBudget(budgetOption));
    if (packs.given() && !reportOption.empty())
      return Status::make(Code::invalidArgument,
                          "--report shows a search on this machine; --measure tells all with --json");
    if (packs.given())
      return tuneByPack(packs, {spec, shapeOption, targetOption, dtypeOption, databaseOption, budget, grad, json});
    if (!packs.schedules.texts.empty() || packs.schedules.deterministic || packs.most > 0)
      return Status::make(Code::invalidArgument, "--schedule, --deterministic and --most go with --prepare");
    if (targetOption.empty())
      targetOption = "cpu";
    TERCET_TRY(TargetName target, parseTarget(targetOption));
    TERCET_RETURN_IF_ERROR(checkTunable(target));
    TERCET_TRY(LoadedSpec loaded, loadSpec(spec));
    if (shapeOption.empty())
      return Status::make(Code::invalidArgument, "--shape is missing: the calls to tune for");
    TERCET_TRY(reference::Shape sizes, parseShape(shapeOption));
    database = databaseOption.empty() ? tune::userDatabase() : std::filesystem::path(databaseOption);
    if (database.empty())
      return Status::make(Code::invalidArgument, "there is no data directory for the tuning database; give --db FILE");
    DType dtype = DType::f32;
    parseDType(dtypeOption, dtype);
    TERCET_TRY(CallData call,
               makeInputs(loaded, sizes, {.seed = static_cast<uint64_t>(seed), .dtype = dtype, .withGradient = grad}));
    ExecutorOptions options{.target = target,
                            .headDim = sizes.headDim,
                            .valueDim = sizes.valueDim,
                            .dtype = dtype,
                            .grad = grad,
                            .useCache = false,
                            .expected = expectedCall(loaded, call)};
    TERCET_TRY(options.host, ExecutorHost::create(/*useCache=*/false));
    TERCET_TRY(std::vector<Job> jobs, findJobs(loaded, options));
    Interrupt interrupt;
    for (size_t i = 0; i < jobs.size() && !(i > 0 && interrupt.flag()); ++i) {
      bool isLast = i + 1 == jobs.size() || jobs[i + 1].direction != jobs[i].direction;
      TERCET_RETURN_IF_ERROR(tuneOne(loaded, call, options, jobs[i], jobs.size() - i, isLast, interrupt));
    }
    return finish(loaded, call);
  }

private:
  static Status checkTunable(const TargetName &target) {
    if (target.kind == TargetName::Kind::gpuArchitecture)
      return Status::make(
          Code::deviceUnavailable,
          "'{}' is an architecture, of which there is no device here to measure on; legal are cpu, "
          "cpu:v4, cpu:v3, cpu:portable and cuda[:N]; --prepare FILE compiles for it what --measure FILE "
          "times elsewhere",
          target.text);
    if (target.kind == TargetName::Kind::reference || target.kind == TargetName::Kind::simulator)
      return Status::make(Code::unsupportedTarget,
                          "times of '{}' say nothing about schedules; legal are cpu, cpu:v4, cpu:v3, cpu:portable and "
                          "cuda[:N]",
                          target.text);
    return checkRunsHere(target);
  }

  Result<std::vector<Job>> findJobs(const LoadedSpec &loaded, const ExecutorOptions &options) const {
    Problem problem{options.headDim, options.valueDim, options.dtype, options.target.text};
    problem.expected = options.expected;
    if (options.target.kind == TargetName::Kind::cudaDevice) {
      TERCET_TRY(std::shared_ptr<rt::GpuDevice> gpu, options.host->session->device(options.target.text));
      problem.target = gpu->properties().architecture;
    }
    std::vector<Job> jobs;
    for (Direction direction :
         grad ? std::vector{Direction::forward, Direction::backward} : std::vector{Direction::inference}) {
      problem.direction = direction;
      TERCET_TRY(std::vector<ScheduleSpace> spaces, scheduleSpaces(loaded.toCompile, problem));
      for (ScheduleSpace &space : spaces)
        jobs.push_back({direction, std::move(space)});
    }
    if (jobs.empty())
      return Status::make(Code::invalidArgument, "spec '{}' has one schedule on '{}': there is nothing to tune",
                          loaded.info.name, options.target.text);
    return jobs;
  }

  double elapsed() const { return std::chrono::duration<double>(Clock::now() - begin).count(); }

  /// left: the jobs that share what is left of the budget, this one among them.
  Status tuneOne(const LoadedSpec &loaded, const CallData &call, const ExecutorOptions &options, const Job &job,
                 size_t left, bool isLastOfDirection, const Interrupt &interrupt) {
    tune::TuneReport report = startReport(loaded, call, job);
    Clock::time_point opened = Clock::now();
    double share = std::max(0.5, (budget - elapsed()) / static_cast<double>(left));
    TERCET_TRY(std::unique_ptr<TuneBench> bench,
               TuneBench::open(loaded, call, options, job.direction, chosen, report.space));
    report.budgetSeconds = share;
    {
      Progress bar(fmt::format("tune {}",
                               job.direction == Direction::inference ? job.space.kernel : directionName(job.direction)),
                   static_cast<int64_t>(1e3 * share));
      double before = std::chrono::duration<double>(Clock::now() - opened).count();
      tune::TuneOptions search{.budgetSeconds = std::max(0.1, share - before - secondsOfReports),
                               .seed = static_cast<uint64_t>(seed),
                               .first = knownBest(*bench, job),
                               .stop = &interrupt.flag()};
      search.progress = [&](const tune::TuneProgress &progress) {
        bar.reach(static_cast<int64_t>(1e3 * (before + progress.seconds)),
                  fmt::format("{}: {} of {}, best {:.3f} ms", progress.phase, progress.tried,
                              report.space.candidates.size(), progress.bestMs));
      };
      TERCET_TRY(report.result, tune::tune(report.space, *bench, search));
    }
    const tune::TuneResult &result = report.result;
    if (result.beatsDefault())
      chosen.push_back({job.direction, job.space.kernel, report.space.candidates[result.best].text});
    TERCET_RETURN_IF_ERROR(addMachine(report, *bench));
    if (isLastOfDirection || interrupt.flag())
      TERCET_RETURN_IF_ERROR(store(*bench, job.direction, report));
    reports.push_back(std::move(report));
    return {};
  }

  /// What the databases have for such calls, if it is among the candidates.
  std::vector<size_t> knownBest(const TuneBench &bench, const Job &job) const {
    tune::Record like = makeTuneRecord(bench, job.direction);
    tune::Database known = tune::Database::open(tune::defaultSources(databaseOption));
    std::vector<size_t> found;
    for (const tune::Row &row : known.nearest(like.key, tune::classOf(like.shape), like.machine))
      for (const auto &[kernel, text] : row.record().schedules)
        for (size_t i = 0; i < job.space.candidates.size() && found.size() < mostKnown; ++i)
          if (kernel == job.space.kernel && job.space.candidates[i].text == text)
            found.push_back(i);
    return found;
  }

  tune::TuneReport startReport(const LoadedSpec &loaded, const CallData &call, const Job &job) const {
    tune::TuneReport report;
    report.spec = loaded.info.name;
    report.dtype = dtypeName(call.sizes.dtype);
    report.direction = directionName(job.direction);
    report.shape = shapeOption;
    report.date = tune::dateNow();
    report.space = spaceOf(job.space);
    report.pruned = job.space.pruned;
    return report;
  }

  Status addMachine(tune::TuneReport &report, const TuneBench &bench) {
    const Executor &executor = bench.executor();
    report.target = executor.module()->target;
    report.work = bench.work();
    report.device = makeTuneRecord(bench, Direction::inference).machine.device;
    shape = bench.shape();
    threads = executor.threads();
    if (executor.device())
      return {};
    std::vector<double> peaks;
    for (const tune::Sample &sample : report.result.samples)
      peaks.push_back(sample.measured.peak);
    report.peak = tune::quantile(peaks, 0.75);
    report.bandwidth = measureReadBandwidth(executor.threads());
    return {};
  }

  Status store(const TuneBench &bench, Direction direction, tune::TuneReport &report) const {
    std::vector<std::pair<std::string, std::string>> schedules;
    for (const ScheduleRequest::Named &each : chosen)
      if (each.direction == direction)
        schedules.emplace_back(each.kernel, each.text);
    if (std::string reason = report.result.doubt(); schedules.empty() && !reason.empty()) {
      report.stored = "nothing was stored: " + reason;
      return {};
    }
    tune::Record record = makeTuneRecord(bench, direction);
    addOutcome(record, schedules, report.result);
    TERCET_RETURN_IF_ERROR(tune::append(database, record));
    report.stored = fmt::format("{} was stored in {}", schedules.empty() ? "that the default is the best" : "the best",
                                database.string());
    return {};
  }

  Result<ExitCode> finish(const LoadedSpec &loaded, const CallData &call) const {
    if (!reportOption.empty()) {
      std::string page = tune::reportHtml(reports);
      TERCET_RETURN_IF_ERROR(
          writeFileAtomically(reportOption, {reinterpret_cast<const uint8_t *>(page.data()), page.size()}));
    }
    if (!json) {
      std::string text = fmt::format("{} at {}, {}, on {} with {} threads\n", loaded.info.name, shapeOption,
                                     reports.front().dtype, reports.front().target, threads);
      for (const tune::TuneReport &report : reports)
        text += tune::reportTable(report);
      TERCET_RETURN_IF_ERROR(printText(text));
      return exitOk;
    }
    Json object = {{"command", "tune"},
                   {"spec", loaded.info.name},
                   {"dtype", reports.front().dtype},
                   {"shape", call.shapeJson()},
                   {"settings", loaded.settingsJson()},
                   {"seed", seed},
                   {"target", reports.front().target},
                   {"device", reports.front().device},
                   {"threads", threads},
                   {"class", tune::classOf(shape).text()},
                   {"kept", shape.kept},
                   {"budget_seconds", budget},
                   {"seconds", elapsed()},
                   {"database", database.string()},
                   {"beats_default", !chosen.empty()},
                   {"tuned", Json::array()}};
    for (const tune::TuneReport &report : reports)
      object["tuned"].push_back(tune::reportJson(report));
    TERCET_RETURN_IF_ERROR(printJson(object));
    return exitOk;
  }

  SpecOptions spec;
  PackOptions packs;
  std::string shapeOption, targetOption, dtypeOption, budgetOption = "60s", databaseOption, reportOption;
  int64_t seed = 0;
  bool grad = false, json = false;

  Clock::time_point begin = Clock::now();
  double budget = 60;
  std::filesystem::path database;
  std::vector<ScheduleRequest::Named> chosen; ///< what beat the defaults so far
  std::vector<tune::TuneReport> reports;
  tune::ProblemShape shape;
  int threads = 0;
};

} // namespace

std::unique_ptr<Command> makeTuneCommand() { return std::make_unique<TuneCommand>(); }

} // namespace tercet::cli
