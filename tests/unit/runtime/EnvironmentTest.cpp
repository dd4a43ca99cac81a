#include "tercet/Environment.h"
#include "tercet/Spelling.h"

#include <catch2/catch.hpp>

using namespace tercet;

TEST_CASE("all variables are read", "[environment]") {
  Environment parsed = Environment::parse({"TERCET_CACHE_DIR=/c=d", "TERCET_LOG=info", "TERCET_THREADS=7",
                                           "TERCET_NVRTC=/n", "TERCET_DUMP_DIR=/d", "TERCET_DB=/b", "HOME=/h"});
  CHECK(parsed.cacheDir == "/c=d");
  CHECK(parsed.logLevel == LogLevel::info);
  CHECK(parsed.threads == 7);
  CHECK(parsed.nvrtc == "/n");
  CHECK(parsed.dumpDir == "/d");
  CHECK(parsed.database == "/b");
  CHECK(parsed.warnings.empty());
}

TEST_CASE("an unknown TERCET_ name warns with the nearest known one", "[environment]") {
  Environment parsed = Environment::parse({"TERCET_THREDS=2"});
  REQUIRE(parsed.warnings.size() == 1);
  CHECK(parsed.warnings[0] == "TERCET_THREDS is not a variable of Tercet; did you mean 'TERCET_THREADS'?");
}

TEST_CASE("a bad value is ignored with a warning", "[environment]") {
  for (const char *bad : {"TERCET_THREADS=0", "TERCET_THREADS=-1", "TERCET_THREADS=2x", "TERCET_THREADS=99999999999",
                          "TERCET_LOG=loud"}) {
    Environment parsed = Environment::parse({bad});
    INFO(bad);
    CHECK(parsed.threads == 0);
    CHECK(parsed.logLevel == LogLevel::silent);
    CHECK(parsed.warnings.size() == 1);
  }
}

TEST_CASE("the log sink receives what its verbosity lets through", "[log]") {
  std::vector<std::string> lines;
  setLogSink([&](LogLevel, std::string_view message) { lines.emplace_back(message); }, LogLevel::info);
  log(LogLevel::warn, "one {}", 1);
  log(LogLevel::debug, "not this");
  setLogSink({});
  log(LogLevel::warn, "nor this");
  CHECK(lines == std::vector<std::string>{"one 1"});
}

TEST_CASE("a slip of any one kind is recognised", "[spelling]") {
  const std::vector<std::string> names = {"check", "bench", "keep"};
  CHECK(nearestName("chekc", names) == "check"); // swapped
  CHECK(nearestName("hceck", names) == "check");
  CHECK(nearestName("kepe", names) == "keep");
  CHECK(nearestName("chec", names) == "check");   // missing
  CHECK(nearestName("checck", names) == "check"); // added
  CHECK(nearestName("chezk", names) == "check");  // replaced
  CHECK(nearestName("cehkc", names).empty());     // two slips in five letters
}

TEST_CASE("the nearest of several names is suggested", "[spelling]") {
  CHECK(nearestName("drpo", {"keep", "dropout", "drop"}) == "drop");
  CHECK(nearestName("blockk", {"block_q", "block_k"}) == "block_k");
}

TEST_CASE("a far name suggests nothing", "[spelling]") {
  CHECK(nearestName("keeep", {"keep", "drop"}) == "keep");
  CHECK(nearestName("temperature", {"keep", "drop"}).empty());
}
