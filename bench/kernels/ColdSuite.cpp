// Wall time of a whole process: start, compiler set-up, spec text to machine code, load, one call at 1024 tokens, exit.
#include "Suites.h"
#include "Workload.h"

#include <fmt/core.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tercet::bench {
namespace {

constexpr int64_t tokens = 1024;

/// Seconds from starting this executable with `arguments` to its end. Throws if it fails.
double secondsOfProcess(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "tercet-kernels");
  std::vector<char *> argv;
  for (std::string &argument : arguments)
    argv.push_back(argument.data());
  argv.push_back(nullptr);
  auto start = std::chrono::steady_clock::now();
  pid_t child = 0;
  int status = 0;
  if (posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, argv.data(), environ) != 0 ||
      waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw std::runtime_error("the fresh process failed");
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

} // namespace

void firstAnswer(const std::string &spec, int64_t headDim, int64_t tokens, bool useCache) {
  Shape shape;
  shape.heads = 1;
  shape.tokens = tokens;
  shape.headDim = headDim;
  Workload workload(shape);
  auto session = makeSession(0, useCache);
  Call call(*session, workload, spec);
  call();
}

ResultFile coldSuite(const SuiteOptions &options) {
  ResultFile results("cold", options.command);
  std::string pattern = (std::filesystem::temp_directory_path() / "tercet-cold-XXXXXX").string();
  if (!mkdtemp(pattern.data()))
    throw std::runtime_error("cannot make a temporary directory");
  setenv("TERCET_CACHE_DIR", pattern.c_str(), 1);
  for (const char *spec : {"dense", "sla"})
    for (bool cached : {false, true}) {
      std::vector<std::string> arguments = {"--first-answer", spec, "128", std::to_string(tokens),
                                            cached ? "cache" : "no-cache"};
      secondsOfProcess(arguments); // pages of the executable, and the cache entry
      std::vector<double> ms;
      for (int i = 0; i < options.repetitions(21); ++i)
        ms.push_back(secondsOfProcess(arguments) * 1e3);
      bool judged = !cached && std::string(spec) == "sla";
      results.add({fmt::format("{}, d=128, {} tokens, {}", spec, tokens, cached ? "disk cache" : "nothing cached"),
                   "process start to exit, ms", ms, 0, 0, judged ? options.atMost(150) : std::nullopt, ""});
    }
  std::filesystem::remove_all(pattern);
  return results;
}

} // namespace tercet::bench
