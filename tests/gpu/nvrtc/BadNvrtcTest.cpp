// NVRTC missing, too old, broken, refusing, hanging, crashing: in this process and in a child. TERCET_NVRTC names the fake one, so children
// load it, too.
#include "tercet/compiler/cuda/Nvrtc.h"

#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

using namespace tercet;
using namespace tercet::compiler;

namespace {

Result<std::shared_ptr<const Nvrtc>> loadAs(const char *mode) {
  setenv("FAKE_NVRTC", mode, 1);
  std::vector<std::string> candidates = {std::getenv("TERCET_NVRTC")};
  return Nvrtc::load(candidates);
}

/// Why the library is passed over.
std::string whyNot(const std::string &candidate) {
  std::vector<std::string> candidates = {candidate};
  auto nvrtc = Nvrtc::load(candidates);
  REQUIRE_FALSE(nvrtc.ok());
  CHECK(nvrtc.status().code() == Code::unsupportedTarget);
  REQUIRE(nvrtc.status().notes().size() == 1);
  return nvrtc.status().notes()[0].second;
}

Status here(const char *mode) { return (*loadAs(mode))->compile("k", "text", "sm_80").takeStatus(); }

Status inChild(const char *mode, double seconds = 20) {
  setenv("FAKE_NVRTC", mode, 1);
  return compileInChild("k", "text", "sm_80", seconds).takeStatus();
}

size_t openFiles() {
  auto entries = std::filesystem::directory_iterator("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(entries), end(entries)));
}

} // namespace

TEST_CASE("an NVRTC that works gives what it makes, here and in a child", "[bad-nvrtc]") {
  CHECK((*loadAs("works"))->version() == "13.0");
  CHECK((*loadAs("works"))->compile("k", "text", "sm_80")->cubin ==
        std::string("cubin", 6)); // with the zero byte that it gave
  Result<NvrtcOutput> child = compileInChild("k", "text", "sm_80");
  REQUIRE(child.ok());
  CHECK(child->ptx == ".version 8.0");
}

TEST_CASE("an NVRTC that is missing, no library, something else or too old is passed over", "[bad-nvrtc]") {
  std::string fake = std::getenv("TERCET_NVRTC");
  CHECK(whyNot("/nowhere/libnvrtc.so.13") == "/nowhere/libnvrtc.so.13 (cannot be loaded)");
  CHECK(whyNot(BROKEN_NVRTC) == BROKEN_NVRTC " (cannot be loaded)");
  CHECK(whyNot("libc.so.6") == "libc.so.6 (is not NVRTC)");
  setenv("FAKE_NVRTC", "old", 1);
  CHECK(whyNot(fake) == fake + " (is version 12.7, needed is 12.8)");
  setenv("FAKE_NVRTC", "no version", 1);
  CHECK(whyNot(fake) == fake + " (is not NVRTC)");
}

TEST_CASE("a child whose NVRTC is too old says so", "[bad-nvrtc]") {
  Status status = inChild("old");
  CHECK(status.code() == Code::unsupportedTarget);
  CHECK_THAT(status.message(), Catch::Contains("NVRTC 12.8 or newer"));
}

TEST_CASE("an NVRTC that refuses, gives nothing or knows no architecture is a status", "[bad-nvrtc]") {
  for (Status (*compile)(const char *) :
       {+[](const char *mode) { return here(mode); }, +[](const char *mode) { return inChild(mode); }}) {
    Status rejected = compile("rejects");
    CHECK(rejected.code() == Code::compileFailed);
    CHECK(rejected.message() == "NVRTC 13.0 rejected kernel k for sm_80: FAKE_ERROR");
    REQUIRE_FALSE(rejected.notes().empty());
    CHECK(rejected.notes()[0] == std::pair<std::string, std::string>("log", "k.cu(1): error: no"));
    CHECK(compile("gives nothing").code() == Code::compileFailed);
    CHECK(compile("no program").message() == "NVRTC could not start on kernel k: FAKE_ERROR");
    CHECK(compile("no architectures").code() == Code::unsupportedTarget);
  }
}

TEST_CASE("a child survives crashes and hangs, and leaves neither processes nor files", "[bad-nvrtc]") {
  size_t files = openFiles();
  CHECK(inChild("crashes").message() == "NVRTC ended with signal 11 (Segmentation fault) on kernel k for sm_80");
  CHECK(inChild("aborts").message() == "NVRTC ended with signal 6 (Aborted) on kernel k for sm_80");
  Status late = inChild("hangs", 0.2);
  CHECK(late.code() == Code::compileFailed);
  CHECK_THAT(late.message(), Catch::Contains("took longer than 0.2 seconds on kernel k"));
  Status cut = inChild("exits");
  CHECK(cut.code() == Code::internal);
  CHECK_THAT(cut.message(), Catch::Contains("an answer that is cut"));
  CHECK(inChild("works").ok());
  CHECK(openFiles() == files);
  CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE("in the same process a crash is the process's", "[bad-nvrtc]") {
  pid_t child = fork();
  if (child == 0) {
    signal(SIGSEGV, SIG_DFL);
    (void)here("crashes");
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV));
}
