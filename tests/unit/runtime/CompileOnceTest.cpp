// Processes and threads that want the same keys of one cold cache at once: every key is compiled once, by one of them.
#include "FakeCompiler.h"
#include "TempDir.h"

#include "tercet/DiskCache.h"

#include <array>
#include <csignal>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace tercet;
using namespace tercet::test;

namespace {

constexpr int keys = 6;

/// What all processes count in.
struct Counts {
  std::atomic<int> ready, started, compiled[keys], good;
};

/// Counts by key.
class CountingCompiler : public FakeCompiler {
public:
  explicit CountingCompiler(Counts &counts) : counts(counts) { duration = std::chrono::milliseconds(30); }
  Result<Artifact> compile(const Spec &spec, const Problem &problem) override {
    ++counts.compiled[spec.text.front() - '0'];
    return FakeCompiler::compile(spec, problem);
  }

private:
  Counts &counts;
};

/// `threads` of them compile every key in `sessions` sessions of this process, each beginning with another key.
void compileAll(Counts &counts, const std::filesystem::path &directory, int threads, int sessions) {
  auto compiler = std::make_shared<CountingCompiler>(counts);
  std::vector<std::unique_ptr<Session>> opened;
  for (int number = 0; number < sessions; ++number)
    opened.push_back(*Session::create(withCache(directory), compiler));
  ++counts.ready;
  while (!counts.started)
    usleep(200);
  std::vector<std::thread> running;
  for (int thread = 0; thread < threads; ++thread)
    running.emplace_back([&, thread] {
      for (int number = 0; number < keys; ++number) {
        Spec spec = specOf(std::to_string((thread + number) % keys));
        counts.good += opened[size_t(thread % sessions)]->compile(spec, {}).ok();
      }
    });
  for (std::thread &thread : running)
    thread.join();
}

/// Runs `processes` of them, all at once, and checks what they counted.
void checkOnce(int processes, int threads, int sessions) {
  TempDir dir;
  void *memory = mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  auto *counts = new (memory) Counts{};
  for (int process = 0; process < processes; ++process)
    if (fork() == 0) {
      alarm(60); // a hang is a failure
      compileAll(*counts, dir.path(), threads, sessions);
      _exit(0);
    }
  while (counts->ready < processes)
    usleep(200);
  counts->started = 1;
  int ended = 0;
  for (int status = 0; wait(&status) > 0;)
    ended += WIFEXITED(status) && WEXITSTATUS(status) == 0;
  CHECK(ended == processes);
  CHECK(counts->good == processes * threads * keys);
  for (int key = 0; key < keys; ++key)
    CHECK(counts->compiled[key] == 1);
  CHECK(DiskCache(dir.path()).list().size() == keys);
  CHECK(DiskCache(dir.path()).verify().empty());
  munmap(memory, sizeof(Counts));
}

} // namespace

TEST_CASE("16 processes compile each key of a cold cache once", "[session][once]") { checkOnce(16, 1, 1); }

TEST_CASE("32 threads compile each key of a cold cache once", "[session][once]") { checkOnce(1, 32, 1); }

TEST_CASE("32 threads of four sessions compile each key of a cold cache once", "[session][once]") {
  checkOnce(1, 32, 4);
}

TEST_CASE("16 processes of 32 threads each compile each key of a cold cache once", "[session][once]") {
  checkOnce(16, 32, 2);
}

TEST_CASE("a process that is killed while it compiles lets the others go on", "[session][once]") {
  TempDir dir;
  int begun[2];
  REQUIRE(pipe(begun) == 0);
  struct Stuck : FakeCompiler {
    int signal;
    Result<Artifact> compile(const Spec &, const Problem &) override {
      (void)!write(signal, "x", 1);
      pause();
      return Status::make(Code::internal, "not reached");
    }
  };
  pid_t child = fork();
  if (child == 0) {
    auto stuck = std::make_shared<Stuck>();
    stuck->signal = begun[1];
    (void)(*Session::create(withCache(dir.path()), stuck))->compile(specOf("one"), {}).ok();
    _exit(0);
  }
  char byte = 0;
  REQUIRE(read(begun[0], &byte, 1) == 1); // it holds the key's lock now
  std::thread killer([&] {
    usleep(50000);
    kill(child, SIGKILL);
  });
  auto compiler = std::make_shared<FakeCompiler>();
  CHECK((*Session::create(withCache(dir.path()), compiler))->compile(specOf("one"), {}).ok());
  killer.join();
  CHECK(compiler->compiled == 1);
  waitpid(child, nullptr, 0);
  close(begun[0]);
  close(begun[1]);
}
