// tercet-kernels [--quick] [--out DIR] [SUITE ..]: runs the suites and writes one JSON file each.
#include "Suites.h"

#include <fmt/core.h>

#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

using namespace tercet::bench;

namespace {

struct Suite {
  const char *name;
  ResultFile (*run)(const SuiteOptions &);
};
const Suite suites[] = {{"dense", denseSuite}, {"gradient", gradientSuite}, {"sla", slaSuite},      {"full", fullSuite},
                        {"cold", coldSuite},   {"language", languageSuite}, {"memory", memorySuite}};

int fail(const std::string &sentence) {
  fmt::print(stderr, "tercet-kernels: {}\n", sentence);
  return 1;
}

int runSuites(const SuiteOptions &options, const std::string &directory, const std::vector<std::string> &wanted) {
  for (const std::string &name : wanted)
    if (std::none_of(std::begin(suites), std::end(suites), [&](const Suite &suite) { return name == suite.name; }))
      return fail(fmt::format(
          "unknown argument '{}'; legal: --quick, --out DIR, dense, gradient, sla, full, cold, language, memory",
          name));
  for (const Suite &suite : suites)
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), suite.name) != wanted.end()) {
      ResultFile results = suite.run(options);
      if (!directory.empty())
        results.write(directory);
    }
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc), wanted;
  try {
    SuiteOptions options;
    options.command = "bench/run.sh";
    std::string directory;
    for (size_t i = 0; i < arguments.size(); ++i) {
      if (arguments[i] == "--quick") {
        options.quick = true;
        options.command += " --quick";
      } else if (arguments[i] == "--out" && i + 1 < arguments.size())
        directory = arguments[++i];
      else
        wanted.push_back(arguments[i]);
    }
    for (const std::string &suite : wanted)
      options.command += " " + suite;
    return runSuites(options, directory, wanted);
  } catch (const std::exception &error) {
    return fail(error.what());
  }
}
