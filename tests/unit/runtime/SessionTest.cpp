#include "tercet/Session.h"

#include "SampleModule.h"
#include "TempDir.h"

#include "tercet/DiskCache.h"
#include "tercet/Log.h"

#include <atomic>
#include <fstream>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace tercet;

namespace {

/// Compiles by handing out a prepared artifact; the spec's text says which, or how to fail.
class FakeCompiler : public Compiler {
public:
  std::atomic<int> compiled{0};
  std::chrono::milliseconds duration{20};

  Result<CompileKey> key(const Spec &spec, const Problem &problem) override {
    if (spec.text == "bad")
      return Status::make(Code::invalidSpec, "the spec is bad");
    return CompileKey{{spec.text, problem.target}, problem};
  }
  Result<Artifact> compile(const Spec &spec, const Problem &) override {
    ++compiled;
    std::this_thread::sleep_for(duration);
    if (spec.text == "throws")
      throw std::runtime_error("no memory");
    if (spec.text == "fails")
      return Status::make(Code::compileFailed, "it failed");
    Artifact artifact = test::sampleModuleArtifact(spec.text == "two" ? 2 : 1);
    artifact.modules.front().remarks = {"the second schedule was taken"};
    return artifact;
  }
};

Spec specOf(const std::string &text) { return {text, "<test>", {}}; }

SessionOptions withCache(const test::TempDir &dir) {
  SessionOptions options;
  options.threads = 1;
  options.cacheDirectory = dir.path();
  return options;
}

SessionOptions withoutCache(int threads = 1) {
  SessionOptions options;
  options.threads = threads;
  options.useCache = false;
  return options;
}

/// Counts warnings while it lives.
struct WarningCount {
  int count = 0;
  WarningCount() {
    setLogSink([this](LogLevel, std::string_view) { ++count; }, LogLevel::warn);
  }
  ~WarningCount() { setLogSink({}); }
};

} // namespace

TEST_CASE("a compiler is given the schedules that its key found, and the report says where they come from",
          "[session]") {
  struct Tuned : Compiler {
    Problem compiled;
    Result<CompileKey> key(const Spec &, const Problem &problem) override {
      CompileKey key{{problem.target}, problem};
      key.problem.schedules = {{"cpu", "super_row=128"}};
      key.problem.scheduleSource = {.kind = "database", .file = "here.jsonl"};
      return key;
    }
    Result<Artifact> compile(const Spec &, const Problem &problem) override {
      compiled = problem;
      return test::sampleModuleArtifact(1);
    }
  };
  auto compiler = std::make_shared<Tuned>();
  auto session = *Session::create(withoutCache(), compiler);
  CompileReport report;
  REQUIRE(session->compile({}, {.headDim = 4, .valueDim = 4, .target = "cpu:portable"}, &report).ok());
  CHECK(compiler->compiled.schedules.at(0).second == "super_row=128");
  CHECK(report.schedules.kind == "database");
  CHECK(report.schedules.file == "here.jsonl");
}

TEST_CASE("a spec compiles once per session, then comes from memory", "[session]") {
  auto compiler = std::make_shared<FakeCompiler>();
  auto session = *Session::create(withoutCache(), compiler);
  CompileReport first, second;
  auto one = session->compile(specOf("one"), {}, &first), again = session->compile(specOf("one"), {}, &second);
  REQUIRE((one.ok() && again.ok()));
  CHECK(*one == *again);
  CHECK(first.cache == "off");
  CHECK(second.cache == "hit");
  CHECK(first.compileMs >= 19);
  CHECK(session->compileCount() == 1);
  CHECK(test::sampleValue(**session->compile(specOf("two"), {})) == 200);
  CHECK(session->compileCount() == 2);
}

TEST_CASE("threads that want one key share one compilation", "[session]") {
  auto compiler = std::make_shared<FakeCompiler>();
  auto session = *Session::create(withoutCache(), compiler);
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] { good += session->compile(specOf("one"), {}).ok(); });
  for (std::thread &thread : threads)
    thread.join();
  CHECK(good == 8);
  CHECK(compiler->compiled == 1);
}

TEST_CASE("a failure reaches the caller and is tried again next time", "[session]") {
  auto compiler = std::make_shared<FakeCompiler>();
  auto session = *Session::create(withoutCache(), compiler);
  CHECK(session->compile(specOf("bad"), {}).status().code() == Code::invalidSpec);
  CHECK(session->compile(specOf("fails"), {}).status().message() == "it failed");
  CHECK(session->compile(specOf("fails"), {}).status().code() == Code::compileFailed);
  CHECK(session->compile(specOf("throws"), {}).status().message() == "the compiler threw: no memory");
  CHECK(compiler->compiled == 3);
}

TEST_CASE("a session without a compiler says so, and thread counts are checked", "[session]") {
  CHECK((*Session::create(withoutCache()))->compile(specOf("one"), {}).status().code() == Code::invalidArgument);
  CHECK(Session::create(withoutCache(-1)).status().code() == Code::invalidArgument);
  CHECK((*Session::create(withoutCache(3)))->threads() == 3);
}

TEST_CASE("another session finds the artifact on disk", "[session]") {
  test::TempDir dir;
  auto compiler = std::make_shared<FakeCompiler>();
  CompileReport first, second;
  REQUIRE((*Session::create(withCache(dir), compiler))->compile(specOf("one"), {}, &first).ok());
  auto session = *Session::create(withCache(dir), compiler);
  auto kernel = session->compile(specOf("one"), {}, &second);
  REQUIRE(kernel.ok());
  CHECK(first.cache == "miss");
  CHECK(second.cache == "hit");
  CHECK(session->compileCount() == 0);
  CHECK(test::sampleValue(**kernel) == 100);
}

TEST_CASE("what the compiler remarked lies beside the cache entry", "[session]") {
  test::TempDir dir;
  REQUIRE((*Session::create(withCache(dir), std::make_shared<FakeCompiler>()))->compile(specOf("one"), {}).ok());
  std::vector<CacheEntry> entries = DiskCache(dir.path()).list();
  REQUIRE(entries.size() == 1);
  std::ifstream file(entries[0].path.replace_extension(".log"));
  std::string log{std::istreambuf_iterator<char>(file), {}};
  CHECK(log.find("\nthe second schedule was taken\ncompiled in ") != std::string::npos);
}

TEST_CASE("a cached artifact whose code does not load is compiled again", "[session]") {
  test::TempDir dir;
  auto compiler = std::make_shared<FakeCompiler>();
  REQUIRE((*Session::create(withCache(dir), compiler))->compile(specOf("one"), {}).ok());
  DiskCache cache(dir.path());
  Digest key = cache.list().front().key;
  Artifact broken = test::sampleModuleArtifact(1);
  broken.modules[0].code.resize(300);
  REQUIRE(cache.store(key, broken).ok());
  WarningCount warnings;
  CompileReport report;
  CHECK((*Session::create(withCache(dir), compiler))->compile(specOf("one"), {}, &report).ok());
  CHECK(report.cache == "miss");
  CHECK(warnings.count == 1);
  CHECK(cache.verify().empty());
}

TEST_CASE("an unusable cache warns once and results are unaffected", "[session]") {
  test::TempDir dir;
  std::filesystem::path entries = DiskCache(dir.path()).directory();
  std::ofstream(entries) << "in the way";
  WarningCount warnings;
  auto session = *Session::create(withCache(dir), std::make_shared<FakeCompiler>());
  CHECK(session->compile(specOf("one"), {}).ok());
  CHECK(session->compile(specOf("two"), {}).ok());
  CHECK(warnings.count == 1);
}

TEST_CASE("processes that want one key at once compile it once", "[session]") {
  test::TempDir dir;
  constexpr int processes = 6;
  int start[2], counts[2];
  REQUIRE(pipe(start) == 0);
  REQUIRE(pipe(counts) == 0);
  for (int i = 0; i < processes; ++i)
    if (fork() == 0) {
      close(start[1]);
      char byte = 0;
      (void)!read(start[0], &byte, 1); // returns when the parent closes its end: all start together
      auto compiler = std::make_shared<FakeCompiler>();
      compiler->duration = std::chrono::milliseconds(150);
      auto session = *Session::create(withCache(dir), compiler);
      auto kernel = session->compile(specOf("one"), {});
      byte = kernel.ok() ? char(compiler->compiled) : 100;
      (void)!write(counts[1], &byte, 1);
      _exit(0);
    }
  close(start[0]);
  close(start[1]);
  close(counts[1]);
  int total = 0, answers = 0;
  for (char byte = 0; read(counts[0], &byte, 1) == 1; ++answers)
    total += byte;
  while (wait(nullptr) > 0) {
  }
  CHECK(answers == processes);
  CHECK(total == 1);
}
