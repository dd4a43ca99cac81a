// Files: writers at once, interrupted writers, full disks, merging and pruning on disk.
#include "unit/autotune/SampleRecord.h"
#include "unit/runtime/TempDir.h"

#include "tercet/autotune/RecordFile.h"

#include <catch2/catch.hpp>

#include <csignal>
#include <fstream>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace tercet;
using namespace tercet::tune;

namespace fs = std::filesystem;

static std::string contentOf(const fs::path &file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// A record of its own slot for every number.
static Record numbered(int number) {
  Record record = test::sampleRecord();
  record.key.headDim = 1 + number;
  return record;
}

static bool hasEnded(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST_CASE("appending makes the file and its directories", "[record file]") {
  test::TempDir dir;
  fs::path file = dir.path() / "a" / "b" / "db.jsonl";
  CHECK(readRecordFile(file).records.empty());
  CHECK(readRecordFile(file).bad.empty());
  REQUIRE(append(file, numbered(0)).ok());
  REQUIRE(append(file, numbered(1)).ok());
  RecordLines lines = readRecordFile(file);
  REQUIRE(lines.records.size() == 2);
  CHECK(lines.records[1].record == numbered(1));
  CHECK(lines.records[1].lineNumber == 2);
}

TEST_CASE("two writers on one file lose nothing, while a third merges and prunes it", "[record file]") {
  constexpr int each = 60;
  test::TempDir dir;
  fs::path file = dir.path() / "db.jsonl", other = dir.path() / "other.jsonl";
  REQUIRE(append(other, numbered(2 * each)).ok());
  std::vector<pid_t> children;
  for (int writer = 0; writer < 2; ++writer)
    if (children.push_back(fork()); children.back() == 0) {
      bool ok = true;
      for (int i = 0; i < each; ++i)
        ok &= append(file, numbered(writer * each + i)).ok();
      _exit(ok ? 0 : 1);
    }
  for (int i = 0; i < 10; ++i) {
    CHECK(mergeFiles(file, {other}).ok());
    CHECK(pruneFile(file).ok());
  }
  for (pid_t child : children)
    CHECK(hasEnded(child));
  RecordLines lines = readRecordFile(file);
  CHECK(lines.bad.empty());
  CHECK(lines.records.size() == 2 * each + 1);
}

TEST_CASE("what an interrupted writer left voids itself alone", "[record file]") {
  test::TempDir dir;
  fs::path file = dir.path() / "db.jsonl";
  REQUIRE(append(file, numbered(0)).ok());
  std::ofstream(file, std::ios::app) << recordLine(numbered(1))->substr(0, 100);
  REQUIRE(append(file, numbered(2)).ok());
  RecordLines lines = readRecordFile(file);
  CHECK(lines.records.size() == 2);
  REQUIRE(lines.bad.size() == 1);
  CHECK(lines.bad[0].text() == file.string() + ":2: it does not end in a digest: it is cut off, or no record");
}

TEST_CASE("a full disk leaves the file as it was", "[record file]") {
  test::TempDir dir;
  fs::path file = dir.path() / "db.jsonl";
  REQUIRE(append(file, numbered(0)).ok());
  std::string before = contentOf(file);
  pid_t child = fork();
  if (child == 0) { // a limit on file size stands for a full disk: writes fail half-way
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {before.size() + 100, before.size() + 100};
    setrlimit(RLIMIT_FSIZE, &limit);
    bool refused = append(file, numbered(1)).code() == Code::invalidArgument;
    _exit(refused ? 0 : 1);
  }
  CHECK(hasEnded(child));
  CHECK(contentOf(file) == before);
}

TEST_CASE("what is no file of records is one bad line, and is not written", "[record file]") {
  test::TempDir dir;
  fs::path folder = dir.path() / "folder";
  fs::create_directory(folder);
  RecordLines lines = readRecordFile(folder);
  REQUIRE(lines.bad.size() == 1);
  CHECK(lines.bad[0].line == 0);
  CHECK(append(folder, numbered(0)).code() == Code::invalidArgument);
  CHECK(append("", numbered(0)).message() == "no tuning database is known; set TERCET_DB, XDG_DATA_HOME or HOME");
  CHECK(append("/proc/no-such/db.jsonl", numbered(0)).code() == Code::invalidArgument);
  CHECK(mergeFiles(dir.path() / "db.jsonl", {folder}).status().code() == Code::invalidArgument);
  CHECK(mergeFiles(dir.path() / "db.jsonl", {dir.path() / "none"}).status().message() ==
        "cannot read " + (dir.path() / "none").string() + ": there is no such file");
  CHECK(mergeFiles(folder, {}).status().code() == Code::invalidArgument);
}

TEST_CASE("the number of lines is bounded", "[record file]") {
  RecordLines lines = readRecords(std::string(3 * mostLines, '\n') + "x\n", "db.jsonl");
  CHECK(lines.bad.size() == 1);
  std::string text;
  for (size_t i = 0; i < mostLines + 10; ++i)
    text += "x\n";
  lines = readRecords(text, "db.jsonl");
  REQUIRE(lines.bad.size() == mostLines + 1);
  CHECK(lines.bad.back().reason == "this and what follows is not read: 65536 lines are");
}

TEST_CASE("files merged in any order and any number of times are the same bytes", "[record file][merge]") {
  test::TempDir dir;
  std::mt19937 random(5);
  std::vector<fs::path> files;
  for (const char *name : {"a.jsonl", "b.jsonl", "c.jsonl"}) {
    files.push_back(dir.path() / name);
    for (int i = 0; i < 20; ++i)
      REQUIRE(append(files.back(), test::randomRecord(random)).ok());
  }
  fs::path one = dir.path() / "one.jsonl", other = dir.path() / "other.jsonl";
  REQUIRE(mergeFiles(one, {files[0], files[1], files[2]}).ok());
  REQUIRE(mergeFiles(other, {files[2]}).ok());
  REQUIRE(mergeFiles(other, {files[1], files[0], files[1]}).ok());
  CHECK(contentOf(one) == contentOf(other));
  Result<MergeCounts> again = mergeFiles(one, {other, one});
  REQUIRE(again.ok());
  CHECK(again->added == 0);
  CHECK(again->replaced == 0);
  CHECK(again->records == readRecordFile(one).records.size());
  CHECK(contentOf(one) == contentOf(other));
}

TEST_CASE("merging counts, and leaves out what is no record", "[record file][merge]") {
  test::TempDir dir;
  fs::path file = dir.path() / "db.jsonl", other = dir.path() / "other.jsonl";
  REQUIRE(append(file, numbered(0)).ok());
  REQUIRE(append(file, numbered(1)).ok());
  Record newer = numbered(1);
  newer.date = "2027-01-01T00:00:00Z";
  REQUIRE(append(other, newer).ok());
  REQUIRE(append(other, numbered(2)).ok());
  std::ofstream(other, std::ios::app) << "noise\n";
  Result<MergeCounts> counts = mergeFiles(file, {other});
  REQUIRE(counts.ok());
  CHECK(counts->records == 3);
  CHECK(counts->added == 2);
  CHECK(counts->replaced == 1);
  REQUIRE(counts->bad.size() == 1);
  CHECK(counts->bad[0].line == 3);
}

TEST_CASE("pruning removes what no lookup prefers", "[record file]") {
  test::TempDir dir;
  fs::path file = dir.path() / "db.jsonl", link = dir.path() / "link.jsonl";
  Record newer = numbered(0), stale = numbered(1), later = numbered(2), old = numbered(3);
  newer.date = "2026-12-01T00:00:00Z";
  stale.generator = generatorVersion - 1;
  later.generator = generatorVersion + 1;
  old.date = "2025-01-01T00:00:00Z";
  for (const Record &record : {numbered(0), newer, stale, later, old})
    REQUIRE(append(file, record).ok());
  std::ofstream(file, std::ios::app) << "noise\n";
  fs::create_symlink(file, link);
  Result<PruneCounts> counts = pruneFile(link);
  REQUIRE(counts.ok());
  CHECK(fs::is_symlink(link));
  CHECK(
      (counts->records == 3 && counts->bad == 1 && counts->superseded == 1 && counts->stale == 1 && counts->old == 0));
  counts = pruneFile(file, "2026-01-01T00:00:00Z");
  REQUIRE(counts.ok());
  CHECK((counts->records == 2 && counts->bad == 0 && counts->superseded == 0 && counts->old == 1));
  for (const StoredRecord &stored : readRecordFile(file).records)
    CHECK((stored.record == newer || stored.record == later));
  CHECK(pruneFile(dir.path() / "none").ok());
  CHECK_FALSE(fs::exists(dir.path() / "none"));
}
