// Wall time of `tercet run`: process start, compiler set-up, spec text to machine code, load, one call at 1024 tokens, exit.
#include "Suites.h"

#include <fmt/core.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tercet::bench {
namespace {

/// Seconds from starting `tercet`, which lies beside this executable, to its end. Throws if it fails.
double secondsOfProcess(std::vector<std::string> arguments) {
  std::string tercet = (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "tercet").string();
  arguments.insert(arguments.begin(), tercet);
  std::vector<char *> argv;
  for (std::string &argument : arguments)
    argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  auto start = std::chrono::steady_clock::now();
  pid_t child = 0;
  int status = 0;
  bool answered = posix_spawn(&child, tercet.c_str(), &quiet, nullptr, argv.data(), environ) == 0 &&
                  waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  posix_spawn_file_actions_destroy(&quiet);
  if (!answered)
    throw std::runtime_error(fmt::format("'{} run' failed", tercet));
  return seconds;
}

} // namespace

ResultFile coldSuite(const SuiteOptions &options) {
  ResultFile results("cold", options.command);
  std::string pattern = (std::filesystem::temp_directory_path() / "tercet-cold-XXXXXX").string();
  if (!mkdtemp(pattern.data()))
    throw std::runtime_error("cannot make a temporary directory");
  setenv("TERCET_CACHE_DIR", pattern.c_str(), 1);
  for (const char *spec : {"dense", "sla"})
    for (bool cached : {false, true}) {
      std::vector<std::string> arguments = {"run", spec, "--shape", "b=1,h=1,n=1024,d=128"};
      if (!cached)
        arguments.push_back("--no-cache");
      secondsOfProcess(arguments); // pages of the executable, and the cache entry
      std::vector<double> ms;
      for (int i = 0; i < options.repetitions(21); ++i)
        ms.push_back(secondsOfProcess(arguments) * 1e3);
      bool judged = !cached && std::string(spec) == "sla";
      results.add({fmt::format("{}, d=128, 1024 tokens, {}", spec, cached ? "disk cache" : "nothing cached"),
                   "process start to exit, ms", ms, 0, 0, judged ? options.atMost(150) : std::nullopt, ""});
    }
  std::filesystem::remove_all(pattern);
  return results;
}

} // namespace tercet::bench
