// The facade's question to the tuning database. A compile that finds its artifact in the cache asks, too, so that a process reads a file
// again only when it has changed.
#include "FindSchedules.h"

#include "tercet/Cpu.h"
#include "tercet/Digest.h"
#include "tercet/Environment.h"
#include "tercet/ScheduleSpace.h"
#include "tercet/autotune/Database.h"

#include <mutex>
#include <thread>

using namespace tercet;

namespace {

/// What tells that a file is another one: its time and its size.
using Stamps = std::vector<std::pair<std::filesystem::file_time_type, uintmax_t>>;

Stamps stampsOf(const std::vector<tune::Source> &sources) {
  Stamps stamps;
  for (const tune::Source &source : sources) {
    std::error_code noFile;
    auto time = std::filesystem::last_write_time(source.path, noFile);
    auto size = std::filesystem::file_size(source.path, noFile);
    stamps.push_back(noFile ? Stamps::value_type() : Stamps::value_type(time, size));
  }
  return stamps;
}

/// What the files hold for a key, for as long as they do not change.
std::shared_ptr<const tune::Database> openDatabase(const tune::RecordKey &key) {
  static std::mutex guard;
  static std::map<tune::RecordKey, std::shared_ptr<const tune::Database>> databases;
  static Stamps stamps;
  std::vector<tune::Source> sources = tune::defaultSources();
  Stamps now = stampsOf(sources);
  std::lock_guard<std::mutex> lock(guard);
  if (now != stamps) {
    databases.clear();
    stamps = std::move(now);
  }
  std::shared_ptr<const tune::Database> &database = databases[key];
  if (!database)
    database = std::make_shared<const tune::Database>(tune::Database::openFor(sources, key));
  return database;
}

tune::ProblemClass classOfCall(const ExpectedCall &call) {
  tune::ProblemShape shape{.batchHeads = std::max<int64_t>(1, call.batch * call.heads),
                           .headsPerKeyHead = std::max<int64_t>(1, call.heads / std::max<int64_t>(1, call.headsKV)),
                           .queries = std::max<int64_t>(1, call.queries),
                           .keys = std::max<int64_t>(1, call.keys),
                           .kept = std::clamp(call.kept.value_or(1), 0.0, 1.0)};
  tune::ProblemClass result = classOf(shape);
  if (!call.kept)
    result.kept = tune::keptUnknown;
  return result;
}

tune::Machine machineOf(const Problem &problem, const std::string &target) {
  if (!target.starts_with("cpu"))
    return {.device = problem.device};
  static const std::string name = processorName();
  int threads = environment().threads;
  return {.device = name, .units = threads > 0 ? threads : std::thread::hardware_concurrency()};
}

} // namespace

const char *tercet::directionName(Direction direction) {
  switch (direction) {
  case Direction::inference:
    return "inference";
  case Direction::forward:
    return "forward";
  case Direction::backward:
    return "backward";
  }
  return "";
}

void compiler::findSchedules(const std::string &specText, const std::string &target, Problem &problem) {
  problem.scheduleSource = {};
  if (!problem.schedules.empty()) {
    problem.scheduleSource.kind = "explicit";
    return;
  }
  if (problem.deterministic || !problem.expected)
    return;
  tune::RecordKey key{.spec = digestOf(specText).hex(),
                      .target = target,
                      .dtype = std::string(dtypeName(problem.dtype)),
                      .headDim = problem.headDim,
                      .valueDim = problem.valueDim,
                      .direction = directionName(problem.direction)};
  std::shared_ptr<const tune::Database> database = openDatabase(key);
  if (database->rows().empty())
    return;
  std::optional<tune::Row> row = database->lookup(key, classOfCall(*problem.expected), machineOf(problem, target));
  if (!row)
    return;
  problem.schedules = row->record().schedules;
  problem.scheduleSource = {.kind = "database",
                            .file = row->file,
                            .origin = std::string(originName(row->origin)),
                            .date = row->record().date,
                            .distance = row->distance};
}
