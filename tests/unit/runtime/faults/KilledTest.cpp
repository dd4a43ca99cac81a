// A process that is killed at any step of a compilation, its store included: what it leaves is valid, and the next process goes on.
#include "FileFaults.h"

#include "unit/runtime/FakeCompiler.h"
#include "unit/runtime/TempDir.h"
#include "unit/runtime/Warnings.h"

#include "tercet/DiskCache.h"

#include <sys/wait.h>
#include <unistd.h>

using namespace tercet;
using namespace tercet::test;
namespace fs = std::filesystem;

namespace {

/// The key of specOf("one") in any cache.
Digest keyOfOne() {
  static const Digest key = [] {
    TempDir dir;
    REQUIRE((*Session::create(withCache(dir.path()), fastCompiler()))->compile(specOf("one"), {}).ok());
    return DiskCache(dir.path()).list().front().key;
  }();
  return key;
}

void age(const fs::path &path, std::chrono::hours by) {
  fs::last_write_time(path, fs::file_time_type::clock::now() - by);
}

/// A child that compiles "one" in `directory` and is killed at this step. False when it came to its end before.
bool isKilledAt(Fault fault, int step, const fs::path &directory) {
  pid_t child = fork();
  if (child == 0) {
    setLogSink({});
    armFileFault(fault, step);
    bool good = (*Session::create(withCache(directory), fastCompiler()))->compile(specOf("one"), {}).ok();
    _exit(good ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE((WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0));
  return WIFSIGNALED(status);
}

/// The next process, and the one after it, get the right kernel, the latter from the cache.
void nextProcessWorks(const fs::path &directory) {
  for (int process = 0; process < 2; ++process) {
    auto session = *Session::create(withCache(directory), fastCompiler());
    CompileReport report;
    auto kernel = session->compile(specOf("one"), {}, &report);
    REQUIRE(kernel.ok());
    CHECK(sampleValue(**kernel) == 100);
    CHECK((process == 0 || report.cache == "hit"));
  }
  CHECK(DiskCache(directory).verify().empty());
}

/// What the killed process left beside entries goes when it is old.
void leftoversGo(const fs::path &directory) {
  DiskCache cache(directory);
  for (const fs::directory_entry &file : fs::directory_iterator(cache.directory()))
    if (file.path().extension() != ".entry")
      age(file.path(), std::chrono::hours(2));
  cache.prune();
  for (const fs::directory_entry &file : fs::directory_iterator(cache.directory()))
    if (file.path().filename() != "lock" && !fs::exists(fs::path(file.path()).replace_extension(".entry")))
      FAIL_CHECK(file.path() << " is left");
}

/// Kills a compilation at each of its steps in turn, in caches that `prepare` makes; gives the number of steps.
template <typename Prepare, typename Check> int killAtEachStep(Fault fault, Prepare prepare, Check check) {
  for (int step = 1;; ++step) {
    TempDir dir;
    prepare(dir.path());
    bool isKilled = isKilledAt(fault, step, dir.path());
    INFO("step " << step);
    check(dir.path());
    nextProcessWorks(dir.path());
    leftoversGo(dir.path());
    if (!isKilled)
      return step - 1;
  }
}

} // namespace

TEST_CASE("a process killed at any step of a first store leaves a valid cache", "[killed]") {
  Fault fault = GENERATE(Fault::killBefore, Fault::killHalfway);
  int steps = killAtEachStep(
      fault, [](const fs::path &) {},
      [](const fs::path &directory) {
        Warnings warnings;
        CHECK(DiskCache(directory).verify().empty()); // the whole entry or none
        DiskCache(directory).lookup(keyOfOne());
        CHECK(warnings.lines.empty());
        CHECK((!fs::exists(directory / "artifacts-1") ||
               DiskCache(directory).lock(keyOfOne(), std::chrono::milliseconds(1)))); // locks ended with it
      });
  CHECK(steps >= 12); // directories, lock, entry: open, write, flush, rename, and the files beside it
}

TEST_CASE("a process killed at any step of replacing and pruning leaves a valid cache", "[killed]") {
  Fault fault = GENERATE(Fault::killBefore, Fault::killHalfway);
  Digest old = digestOf(std::string_view("old")), kept = digestOf(std::string_view("kept"));
  auto prepare = [&](const fs::path &directory) {
    DiskCache cache(directory);
    for (const Digest &key : {keyOfOne(), old, kept})
      REQUIRE(cache.store(key, sampleModuleArtifact(1)).ok());
    auto pathOf = [&](const Digest &key) { return cache.directory() / (key.hex() + ".entry"); };
    fs::resize_file(pathOf(keyOfOne()), 300);               // is replaced
    age(pathOf(old), std::chrono::hours(24 * 100));         // is pruned
    fs::path aside = cache.directory() / "x.entry.1-1.tmp"; // is a leftover
    fs::copy_file(pathOf(kept), aside);
    age(aside, std::chrono::hours(2));
  };
  int steps = killAtEachStep(fault, prepare, [&](const fs::path &directory) {
    for (const auto &[entry, reason] : DiskCache(directory).verify())
      CHECK(entry.key == keyOfOne()); // the one that was damaged before
    CHECK(DiskCache(directory).peek(kept));
  });
  CHECK(steps >= 18);
}
