// Where schedules come from: named ones, a row of the tuning database, the default; and what becomes of rows that name none.
#include "RunSpec.h"

#include "tercet/Cpu.h"
#include "tercet/Jit.h"
#include "tercet/autotune/Database.h"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <unistd.h>

using namespace tercet;
using namespace tercet::test;

namespace {

/// A database of this process alone, named before the environment is read.
const std::filesystem::path &database() {
  static const std::filesystem::path file =
      std::filesystem::temp_directory_path() / fmt::format("tercet-schedules-{}.jsonl", getpid());
  return file;
}
const int named = setenv("TERCET_DB", database().c_str(), 1);

struct Compiled {
  std::string schedule;
  ScheduleSource source;
  std::vector<std::string> remarks;
};

Problem problemOf(std::optional<ExpectedCall> expected) {
  Problem problem{.headDim = 32, .valueDim = 32, .target = "cpu:portable"};
  problem.expected = std::move(expected);
  return problem;
}

const ExpectedCall call{1, 4, 4, 4096, 4096, 0.05};

Result<Compiled> compile(const Problem &problem) {
  TERCET_TRY(std::unique_ptr<Session> session, Session::create({.threads = 1, .useCache = false}, makeCompiler()));
  CompileReport report;
  TERCET_TRY(std::shared_ptr<Kernel> kernel, session->compile(specNamed("sla"), problem, &report));
  return Compiled{kernel->module().kernels.front().schedule, report.schedules, kernel->module().remarks};
}

void write(std::vector<std::pair<std::string, std::string>> schedules, int64_t tokens = 4096) {
  Artifact artifact = *makeCompiler()->compile(specNamed("sla"), problemOf({}));
  tune::Record record{
      .key = {.spec = artifact.specDigest, .target = "cpu:portable", .dtype = "f32", .headDim = 32, .valueDim = 32},
      .specName = "sla",
      .shape = {.batchHeads = 4, .queries = tokens, .keys = tokens, .kept = 0.05},
      .schedules = std::move(schedules),
      .cost = {.median = 1, .lower = 1, .upper = 1, .samples = 3},
      .machine = {.device = processorName(), .units = 2},
      .date = "2026-11-29T12:00:00Z"};
  Status status = tune::append(database(), record);
  INFO(status.message());
  REQUIRE(status.ok());
}

struct EmptyDatabase {
  EmptyDatabase() { std::filesystem::remove(database()); }
  ~EmptyDatabase() {
    std::filesystem::remove(database());
    std::filesystem::remove(database().string() + ".lock");
  }
};

} // namespace

TEST_CASE("schedules come from who names them, else from the database, else they are the default", "[schedules]") {
  EmptyDatabase empty;
  Compiled byDefault = *compile(problemOf(call));
  CHECK(byDefault.source.kind == "default");
  write({{"cpu", "super_row=128"}});
  Compiled found = *compile(problemOf(call));
  CHECK(found.source.kind == "database");
  CHECK(found.source.file == database().string());
  CHECK(found.source.origin == "user");
  CHECK(found.source.date == "2026-11-29T12:00:00Z");
  CHECK(found.schedule.find("super_row=128") != std::string::npos);

  Problem explicitly = problemOf(call);
  explicitly.schedules = {{"cpu", "super_row=64"}};
  Compiled given = *compile(explicitly);
  CHECK(given.source.kind == "explicit");
  CHECK(given.schedule.find("super_row=64") != std::string::npos);

  Problem pinned = problemOf(call);
  pinned.deterministic = true;
  for (const Problem &problem : {pinned, problemOf({}), problemOf(ExpectedCall{1, 4, 4, 64, 64, 1})}) {
    Compiled other = *compile(problem);
    CHECK(other.source.kind == "default");
    CHECK(other.schedule == byDefault.schedule);
  }
}

TEST_CASE("a row that is written while a process runs is found by its next compile", "[schedules]") {
  EmptyDatabase empty;
  write({{"cpu", "super_row=128"}}, /*tokens=*/8192);
  Compiled far = *compile(problemOf(call));
  CHECK(far.source.distance > 0);
  write({{"cpu", "super_row=192"}});
  Compiled near = *compile(problemOf(call));
  CHECK(near.source.distance < far.source.distance);
  CHECK(near.schedule.find("super_row=192") != std::string::npos);
}

TEST_CASE("a row that names no legal schedule is passed over with a remark", "[schedules]") {
  for (const auto &[kernel, text] :
       {std::pair{"cpu", "super_row=100"}, {"cpu", "warp_rows=3"}, {"attend", "super_row=128"}, {"cpu", "x"}}) {
    EmptyDatabase empty;
    write({{kernel, text}});
    Compiled found = *compile(problemOf(call));
    CHECK(found.source.kind == "database");
    CHECK(found.schedule.find("super_row=256") != std::string::npos);
    REQUIRE(found.remarks.size() == 1);
    CHECK(found.remarks[0].find("is passed over") != std::string::npos);
  }
}

TEST_CASE("a row whose best schedule is the default compiles it, and says so", "[schedules]") {
  EmptyDatabase empty;
  write({});
  Compiled found = *compile(problemOf(call));
  CHECK(found.source.kind == "database");
  CHECK(found.schedule.find("super_row=256") != std::string::npos);
}
