// Disks that are full or broken, and directories that cannot be written: caching is lost, with one warning, and nothing else.
#include "FileFaults.h"

#include "unit/runtime/FakeCompiler.h"
#include "unit/runtime/TempDir.h"
#include "unit/runtime/Warnings.h"

#include "tercet/DiskCache.h"

#include <cerrno>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace tercet;
using namespace tercet::test;
namespace fs = std::filesystem;

namespace {

/// Compiles "one" with a cache there: the answer must be right, and there is one warning at most.
bool compilesWithOneWarning(const fs::path &directory, CompileReport *report = nullptr, size_t *warned = nullptr) {
  Warnings warnings;
  auto session = *Session::create(withCache(directory), fastCompiler());
  auto kernel = session->compile(specOf("one"), {}, report);
  auto other = session->compile(specOf("two"), {});
  if (warned)
    *warned = warnings.lines.size();
  return kernel.ok() && other.ok() && sampleValue(**kernel) == 100 && sampleValue(**other) == 200 &&
         warnings.lines.size() <= 1;
}

/// No file is left that is neither an entry, nor beside one, nor the lock.
bool isTidy(const fs::path &directory) {
  std::error_code missing;
  for (const fs::directory_entry &file : fs::directory_iterator(directory / "artifacts-1", missing))
    if (file.path().extension() == ".tmp")
      return false;
  return DiskCache(directory).verify().empty();
}

/// Runs `work` in a child, as a user without rights who owns `directory` where this one is root. Its answer.
template <typename Work> bool asPlainUser(const fs::path &directory, Work work) {
  constexpr uid_t nobody = 65534;
  pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0) {
      for (const fs::directory_entry &file : fs::recursive_directory_iterator(directory))
        if (chown(file.path().c_str(), nobody, nobody) != 0)
          _exit(2);
      if (chown(directory.c_str(), nobody, nobody) != 0 || setgid(nobody) != 0 || setuid(nobody) != 0)
        _exit(2);
    }
    _exit(work() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

} // namespace

TEST_CASE("any call that fails costs the cache alone", "[full]") {
  int error = GENERATE(ENOSPC, EIO, EROFS, EDQUOT);
  Fault fault = GENERATE(Fault::failOnce, Fault::failOn);
  for (int step = 1;; ++step) {
    TempDir dir;
    armFileFault(fault, step, error);
    bool good = compilesWithOneWarning(dir.path());
    int steps = fileSteps();
    disarmFileFault();
    INFO("step " << step << " of " << steps << ", error " << error);
    CHECK(good);
    CHECK(isTidy(dir.path()));
    size_t warned = 1;
    CHECK(compilesWithOneWarning(dir.path(), nullptr, &warned)); // and it heals
    CHECK(warned == 0);
    if (steps < step) {
      CHECK(step > 12); // there were calls to fail
      break;
    }
  }
}

TEST_CASE("a disk that is really full costs the cache alone", "[full]") {
  TempDir dir;
  pid_t child = fork();
  if (child == 0) { // mounts end with it
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", dir.path().c_str(), "tmpfs", 0, "size=8k") != 0)
      _exit(77);
    size_t warned = 0;
    bool good = compilesWithOneWarning(dir.path(), nullptr, &warned) && warned == 1 && isTidy(dir.path());
    _exit(good && DiskCache(dir.path()).list().empty() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77)
    WARN("not run: this process may not mount");
  else
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a cache that cannot be written is read, and a miss in it is one warning", "[full]") {
  TempDir dir;
  REQUIRE((*Session::create(withCache(dir.path()), fastCompiler()))->compile(specOf("one"), {}).ok());
  fs::permissions(DiskCache(dir.path()).directory(), fs::perms(0500));
  CHECK(asPlainUser(dir.path(), [&] {
    CompileReport report;
    size_t warned = 0;
    return compilesWithOneWarning(dir.path(), &report, &warned) && report.cache == "hit" && warned == 1; // of "two"
  }));
}

TEST_CASE("a damaged entry that cannot be replaced is one warning", "[full]") {
  TempDir dir;
  REQUIRE((*Session::create(withCache(dir.path()), fastCompiler()))->compile(specOf("one"), {}).ok());
  DiskCache cache(dir.path());
  fs::resize_file(cache.list().front().path, 100);
  fs::permissions(cache.directory(), fs::perms(0500));
  CHECK(asPlainUser(dir.path(), [&] {
    size_t warned = 0;
    return compilesWithOneWarning(dir.path(), nullptr, &warned) && warned == 1;
  }));
}

TEST_CASE("a home that cannot be written is one warning", "[full]") {
  TempDir dir;
  fs::permissions(dir.path(), fs::perms(0500));
  CHECK(asPlainUser(dir.path(), [&] {
    size_t warned = 0;
    return compilesWithOneWarning(dir.path() / ".cache" / "tercet", nullptr, &warned) && warned == 1;
  }));
}

TEST_CASE("a cache of another user, or one that others can write, is one warning", "[full]") {
  TempDir dir;
  REQUIRE((*Session::create(withCache(dir.path()), fastCompiler()))->compile(specOf("one"), {}).ok());
  fs::permissions(DiskCache(dir.path()).directory(), fs::perms(0777));
  size_t warned = 0;
  CompileReport report;
  CHECK(compilesWithOneWarning(dir.path(), &report, &warned));
  CHECK(warned == 1);
  CHECK(report.cache == "miss"); // though an entry is there
}
