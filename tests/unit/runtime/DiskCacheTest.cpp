#include "SamplePlan.h"
#include "TempDir.h"
#include "Warnings.h"

#include "tercet/CacheDirectory.h"
#include "tercet/DiskCache.h"

#include <catch2/catch.hpp>

#include <atomic>
#include <csignal>
#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace tercet;
using test::Warnings;
namespace fs = std::filesystem;

namespace {

Digest keyOf(const std::string &name) { return digestOf(std::string_view(name)); }

fs::path entryPath(const DiskCache &cache, const Digest &key) { return cache.directory() / (key.hex() + ".entry"); }

fs::path besideEntry(const DiskCache &cache, const Digest &key, const char *suffix) {
  return entryPath(cache, key).replace_extension(suffix);
}

std::string textOf(const fs::path &path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void age(const fs::path &path, std::chrono::hours by) {
  fs::last_write_time(path, fs::file_time_type::clock::now() - by);
}

} // namespace

TEST_CASE("the cache directory follows TERCET_CACHE_DIR, XDG_CACHE_HOME, HOME", "[cache]") {
  CHECK(resolveCacheDirectory("/a", "/b", "/c") == "/a");
  CHECK(resolveCacheDirectory("", "/b", "/c") == "/b/tercet");
  CHECK(resolveCacheDirectory("", "relative", "/c") == "/c/.cache/tercet");
  CHECK(resolveCacheDirectory("", nullptr, "/c") == "/c/.cache/tercet");
  CHECK(resolveCacheDirectory("", nullptr, nullptr).empty());
}

TEST_CASE("what was stored is found, by its key only", "[cache]") {
  test::TempDir dir;
  DiskCache cache(dir.path() / "deep" / "root");
  CHECK_FALSE(cache.lookup(keyOf("a")));
  REQUIRE(cache.store(keyOf("a"), test::samplePlanArtifact()).ok());
  REQUIRE(cache.lookup(keyOf("a")));
  CHECK(cache.lookup(keyOf("a"))->serialize() == test::samplePlanArtifact().serialize());
  CHECK_FALSE(cache.lookup(keyOf("b")));
  struct stat info;
  REQUIRE(::stat(cache.directory().c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);
}

TEST_CASE("a damaged, truncated, foreign or older entry is a miss with one warning, and heals", "[cache]") {
  test::TempDir dir;
  DiskCache cache(dir.path());
  REQUIRE(cache.store(keyOf("a"), test::samplePlanArtifact()).ok());
  REQUIRE(cache.store(keyOf("b"), test::samplePlanArtifact()).ok());
  fs::path path = entryPath(cache, keyOf("a"));
  SECTION("damaged") {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(500);
    file.put('\x01');
  }
  SECTION("truncated") { fs::resize_file(path, 100); }
  SECTION("empty") { fs::resize_file(path, 0); }
  SECTION("foreign") { fs::copy_file(entryPath(cache, keyOf("b")), path, fs::copy_options::overwrite_existing); }
  SECTION("something else") { std::ofstream(path, std::ios::trunc) << std::string(5000, 'x'); }
  Warnings warnings;
  CHECK_FALSE(cache.lookup(keyOf("a")));
  CHECK_FALSE(cache.lookup(keyOf("a")));
  CHECK(warnings.lines.size() == 1);
  REQUIRE(cache.store(keyOf("a"), test::samplePlanArtifact()).ok());
  CHECK(cache.lookup(keyOf("a")));
  CHECK(warnings.lines.size() == 1);
}

TEST_CASE("a directory that others can write is not trusted", "[cache]") {
  test::TempDir dir;
  DiskCache cache(dir.path());
  REQUIRE(cache.store(keyOf("a"), test::samplePlanArtifact()).ok());
  fs::permissions(cache.directory(), fs::perms(0777));
  Warnings warnings;
  CHECK_FALSE(cache.lookup(keyOf("a")));
  CHECK(warnings.lines.empty()); // of the store, which everyone does who looked in vain
  CHECK(cache.store(keyOf("a"), test::samplePlanArtifact()).code() == Code::cacheUnusable);
}

TEST_CASE("a root that cannot be a directory loses caching only", "[cache]") {
  test::TempDir dir;
  std::ofstream(dir.path() / "file") << "x";
  for (fs::path root : {dir.path() / "file", dir.path() / "file" / "below", fs::path("/proc/no-such"), fs::path()}) {
    DiskCache cache(root);
    INFO(root.string());
    CHECK_FALSE(cache.lookup(keyOf("a")));
    CHECK(cache.store(keyOf("a"), test::samplePlanArtifact()).code() == Code::cacheUnusable);
    CHECK(cache.lock(keyOf("a")) == nullptr);
    CHECK(cache.list().empty());
    CHECK(cache.clear() == 0);
  }
}

TEST_CASE("a full disk loses caching only and leaves nothing behind", "[cache]") {
  test::TempDir dir;
  DiskCache cache(dir.path());
  REQUIRE(cache.store(keyOf("a"), test::samplePlanArtifact()).ok());
  pid_t child = fork();
  if (child == 0) { // a limit on file size stands for a full disk: writes fail half-way
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {1000, 1000};
    setrlimit(RLIMIT_FSIZE, &limit);
    _exit(cache.store(keyOf("b"), test::samplePlanArtifact()).code() == Code::cacheUnusable ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  CHECK(cache.list().size() == 1);
  for (const fs::directory_entry &file : fs::directory_iterator(cache.directory()))
    CHECK(file.path().stem() == keyOf("a").hex());
}

TEST_CASE("prune removes the old and, beyond the size, the least recently used", "[cache]") {
  test::TempDir dir;
  uint64_t entrySize = 0;
  {
    DiskCache cache(dir.path());
    for (const char *name : {"a", "b", "c", "d"})
      REQUIRE(cache.store(keyOf(name), test::samplePlanArtifact()).ok());
    entrySize = cache.list().front().bytes;
    age(entryPath(cache, keyOf("a")), std::chrono::hours(24 * 100));
    age(entryPath(cache, keyOf("b")), std::chrono::hours(5));
    age(entryPath(cache, keyOf("c")), std::chrono::hours(6));
    std::ofstream(cache.directory() / "x.entry.1-1.tmp") << "abandoned";
    age(cache.directory() / "x.entry.1-1.tmp", std::chrono::hours(2));
    CHECK(cache.lookup(keyOf("c"))); // a use
    CHECK(cache.prune() == 1);
    CHECK_FALSE(fs::exists(cache.directory() / "x.entry.1-1.tmp"));
  }
  DiskCache small(dir.path(), {entrySize * 2, std::chrono::hours(24 * 90)});
  CHECK(small.prune() == 1);
  CHECK_FALSE(small.lookup(keyOf("b")));
  CHECK(small.lookup(keyOf("c")));
  CHECK(small.lookup(keyOf("d")));
}

TEST_CASE("source and log lie beside an entry, and go with it", "[cache]") {
  test::TempDir dir;
  DiskCache cache(dir.path());
  Artifact artifact = test::samplePlanArtifact();
  artifact.modules.front().remarks = {"schedule 2 was passed over"};
  REQUIRE(cache.store(keyOf("a"), artifact, /*compileMs=*/12).ok());
  REQUIRE(cache.store(keyOf("b"), artifact).ok());
  fs::path source = besideEntry(cache, keyOf("a"), ".mlir"), log = besideEntry(cache, keyOf("a"), ".log");
  CHECK(textOf(source) == artifact.specText);
  CHECK(textOf(log).find(artifact.specName + ": ") == 0);
  CHECK(textOf(log).find("\nschedule 2 was passed over\ncompiled in 12.0 ms\n") != std::string::npos);
  CHECK(cache.list().size() == 2);
  uint64_t all = 0;
  for (const CacheEntry &entry : cache.list())
    all += entry.bytes;
  uint64_t onDisk = 0;
  for (const fs::directory_entry &file : fs::directory_iterator(cache.directory()))
    onDisk += file.file_size();
  CHECK(all == onDisk);
  SECTION("discard") { cache.discard(keyOf("a")); }
  SECTION("prune") {
    age(entryPath(cache, keyOf("a")), std::chrono::hours(24 * 100));
    CHECK(cache.prune() == 1);
  }
  SECTION("a damaged entry") {
    fs::resize_file(entryPath(cache, keyOf("a")), 100);
    CHECK_FALSE(cache.lookup(keyOf("a")));
  }
  SECTION("clear") { CHECK(cache.clear() == 2); }
  CHECK_FALSE(fs::exists(source));
  CHECK_FALSE(fs::exists(log));
  CHECK(fs::exists(besideEntry(cache, keyOf("b"), ".log")) == fs::exists(entryPath(cache, keyOf("b"))));
}

TEST_CASE("the CUDA source and the notes of GPU kernels lie beside an entry", "[cache]") {
  test::TempDir dir;
  DiskCache cache(dir.path());
  Artifact artifact = test::samplePlanArtifact();
  TargetModule &module = artifact.modules.front();
  module.target = "sm_90a";
  module.kernels.front().gpu = {
      .registers = 168, .notes = {"C7510: serialised"}, .source = "__global__ void attend() {}"};
  REQUIRE(cache.store(keyOf("a"), artifact).ok());
  fs::path cuda = besideEntry(cache, keyOf("a"), ".cu");
  CHECK(textOf(cuda).find("\n__global__ void attend() {}\n") != std::string::npos);
  CHECK(textOf(besideEntry(cache, keyOf("a"), ".log")).find("168 registers") != std::string::npos);
  CHECK(textOf(besideEntry(cache, keyOf("a"), ".log")).find("C7510: serialised") != std::string::npos);
  cache.discard(keyOf("a"));
  CHECK_FALSE(fs::exists(cuda));
}

TEST_CASE("source and log are never read: changed or missing, the entry is as good", "[cache]") {
  test::TempDir dir;
  DiskCache cache(dir.path());
  REQUIRE(cache.store(keyOf("a"), test::samplePlanArtifact()).ok());
  std::ofstream(besideEntry(cache, keyOf("a"), ".mlir"), std::ios::trunc) << "something else";
  fs::remove(besideEntry(cache, keyOf("a"), ".log"));
  Warnings warnings;
  CHECK(cache.lookup(keyOf("a")));
  CHECK(cache.verify().empty());
  CHECK(warnings.lines.empty());
}

TEST_CASE("source and log without an entry are pruned once they are old", "[cache]") {
  test::TempDir dir;
  DiskCache cache(dir.path());
  REQUIRE(cache.store(keyOf("a"), test::samplePlanArtifact()).ok());
  fs::remove(entryPath(cache, keyOf("a")));
  fs::path source = besideEntry(cache, keyOf("a"), ".mlir"), log = besideEntry(cache, keyOf("a"), ".log");
  age(log, std::chrono::hours(2));
  CHECK(cache.prune() == 0);
  CHECK(fs::exists(source)); // its entry may be on its way
  CHECK_FALSE(fs::exists(log));
}

TEST_CASE("a log without bounds is cut, and a sidecar that cannot be written costs nothing else", "[cache]") {
  test::TempDir dir;
  DiskCache cache(dir.path());
  Artifact verbose = test::samplePlanArtifact();
  verbose.modules.front().remarks = {std::string(3 << 20, 'x')};
  REQUIRE(cache.store(keyOf("a"), verbose).ok());
  CHECK(fs::file_size(besideEntry(cache, keyOf("a"), ".log")) == 1 << 20);
  fs::create_directories(besideEntry(cache, keyOf("b"), ".log") / "in the way");
  CHECK(cache.store(keyOf("b"), test::samplePlanArtifact()).ok());
  CHECK(cache.lookup(keyOf("b")));
}

TEST_CASE("verify names the bad entries, clear removes all", "[cache]") {
  test::TempDir dir;
  DiskCache cache(dir.path());
  REQUIRE(cache.store(keyOf("a"), test::samplePlanArtifact()).ok());
  REQUIRE(cache.store(keyOf("b"), test::samplePlanArtifact()).ok());
  CHECK(cache.verify().empty());
  fs::resize_file(entryPath(cache, keyOf("b")), 50);
  auto bad = cache.verify();
  REQUIRE(bad.size() == 1);
  CHECK(bad[0].first.key == keyOf("b"));
  CHECK(cache.clear() == 2);
  CHECK(cache.list().empty());
}

TEST_CASE("a lock excludes other threads and processes and ends with its holder", "[cache]") {
  test::TempDir dir;
  DiskCache cache(dir.path());
  auto held = cache.lock(keyOf("a"));
  REQUIRE(held);
  CHECK(cache.lock(keyOf("a"), std::chrono::milliseconds(30)) == nullptr);
  CHECK(cache.lock(keyOf("b"), std::chrono::milliseconds(30)) != nullptr);
  pid_t child = fork();
  if (child == 0)
    _exit(cache.lock(keyOf("a"), std::chrono::milliseconds(30)) ? 1 : 0);
  int status = 0;
  waitpid(child, &status, 0);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  held.reset();
  CHECK(cache.lock(keyOf("a"), std::chrono::milliseconds(30)) != nullptr);
}
