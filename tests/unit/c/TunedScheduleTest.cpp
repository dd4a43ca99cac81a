// Schedules that were tuned reach a host that says what calls it expects. A program of its own: it names the database before anything
// reads the environment.
#include "CompiledKernel.h"

#include "unit/autotune/SampleRecord.h"
#include "unit/runtime/TempDir.h"

#include "tercet/autotune/RecordFile.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

using namespace tercet::test;
using nlohmann::json;

namespace {

struct OwnDatabase {
  TempDir folder;
  std::string file = (folder.path() / "rows.jsonl").string();
  OwnDatabase() { ::setenv("TERCET_DB", file.c_str(), 1); }
} database;

json described(const KernelHandle &kernel) {
  char *text = nullptr;
  succeed(tercet_kernel_describe(kernel.get(), &text));
  return json::parse(taken(text));
}

} // namespace

TEST_CASE("a host that expects calls has the schedules that were tuned for them", "[c]") {
  SessionHandle session = newSession();
  tercet_compile_options options = forDimension(32);
  KernelHandle byDefault = compiled(session.get(), builtin("dense"), options);
  REQUIRE(described(byDefault)["schedule_source"] == "default");

  tercet_artifact *made = nullptr;
  succeed(tercet_kernel_artifact(byDefault.get(), &made));
  ArtifactHandle artifact(made);
  char *text = nullptr;
  succeed(tercet_artifact_describe(artifact.get(), &text));
  tercet::tune::Record row = sampleRecord();
  row.key.spec = json::parse(taken(text))["digest"];
  row.key.target = described(byDefault)["module"];
  row.key.headDim = row.key.valueDim = 32;
  row.shape = {.batchHeads = 8, .headsPerKeyHead = 2, .queries = 4096, .keys = 4096};
  row.schedules = {{"cpu", "super_row=128"}};
  REQUIRE(tercet::tune::append(database.file, row).ok());

  SessionHandle later = newSession(); // a session reads the database when it first asks
  options.expected_heads = 8, options.expected_key_heads = 4, options.expected_queries = 4000;
  json tuned = described(compiled(later.get(), builtin("dense"), options));
  CHECK(tuned["schedule_source"] == "database");
  CHECK(tuned["schedule"].dump().find("super_row=128") != std::string::npos);

  options.deterministic = 1;
  CHECK(described(compiled(later.get(), builtin("dense"), options))["schedule_source"] == "default");
  options.deterministic = 0, options.expected_queries = 100000; // far from what was tuned
  CHECK(described(compiled(later.get(), builtin("dense"), options))["schedule_source"] == "default");
}
