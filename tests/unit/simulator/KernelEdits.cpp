// Every edit is compiled to PTX and run on every problem in every mode, until a fault shows.
#include "unit/simulator/KernelEdits.h"

#include "gpu/DenseCase.h"
#include "tercet/compiler/cuda/DeviceLibrary.h"
#include "tercet/compiler/cuda/Nvrtc.h"

#include <catch2/catch.hpp>

#include <atomic>
#include <set>
#include <thread>

namespace tercet::test {

namespace {

/// A text with its includes of the device library put in, each once.
class Inliner {
public:
  std::string run(const std::string &text) {
    std::string out;
    for (size_t begin = 0; begin < text.size();) {
      size_t end = std::min(text.find('\n', begin), text.size());
      std::string line = text.substr(begin, end - begin);
      begin = end + 1;
      if (line.rfind("#include \"", 0) == 0)
        out += include(line.substr(10, line.size() - 11));
      else if (line != "#pragma once")
        out += line + "\n";
    }
    return out;
  }

private:
  std::string include(const std::string &name) {
    if (!seen.insert(name).second)
      return "";
    for (const compiler::DeviceFile &file : compiler::deviceFiles())
      if (file.name == name)
        return run(std::string(file.text));
    return "#error the device library has no " + name + "\n";
  }
  std::set<std::string> seen;
};

/// Empty if nothing is wrong with this source; else what is.
std::string findFault(const std::string &source, const char *architecture, const std::vector<DenseProblem> &problems,
                      int64_t sharedBytes) {
  auto output = (*compiler::Nvrtc::get())->compile("attend", source, architecture, /*ptxOnly=*/true);
  if (!output.ok())
    return "does not compile: " + output.status().message();
  auto module = sim::Module::parse(output->ptx);
  if (!module.ok())
    return "does not parse: " + module.status().message();
  sim::LaunchConfig plain;
  plain.checks.races = true;
  for (const sim::LaunchConfig &config :
       {plain, adversarial(sim::Landing::latest, 3), adversarial(sim::Landing::seeded, 4)})
    for (const DenseProblem &problem : problems) {
      sim::LaunchConfig bounded = config;
      bounded.maxInstructions = 400000;
      auto outcome = problem.run(*module, sharedBytes, bounded);
      if (!outcome.ok())
        return outcome.status().message();
      if (!outcome->agrees())
        return fmt::format("error {}, LSE off by {}, empty rows {}", outcome->error, outcome->largestLse,
                           outcome->emptyRows);
    }
  return "";
}

} // namespace

BugCount findBugs(const char *architecture, int64_t headDim, const std::vector<DenseProblem> &problems,
                  const std::vector<KernelEdit> &edits, const std::string &spec) {
  DenseCase dense(spec);
  auto cubin = dense.emit(architecture, headDim, "cubin");
  REQUIRE(cubin.ok());
  int64_t sharedBytes = cubin->kernels[0].sharedBytes.value();
  const std::string source = Inliner().run(dense.text(architecture, headDim, "cuda"));
  REQUIRE(findFault(source, architecture, problems, sharedBytes) == "");

  std::vector<std::string> faults(edits.size());
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t i; (i = next++) < edits.size();) {
      std::string edited = source;
      size_t at = edited.find(edits[i].from);
      if (at == std::string::npos) {
        faults[i] = "the text of this edit is gone";
        continue;
      }
      edited.replace(at, std::string(edits[i].from).size(), edits[i].to);
      faults[i] = findFault(edited, architecture, problems, sharedBytes);
    }
  };
  std::thread helper(work);
  work();
  helper.join();

  BugCount count;
  for (size_t i = 0; i < edits.size(); ++i) {
    INFO("'" << edits[i].from << "' -> '" << edits[i].to << "'");
    INFO(faults[i]);
    for (const char *unable : {"is gone", "does not compile", "does not parse"})
      CHECK(faults[i].find(unable) == std::string::npos);
    bool isBug = !edits[i].harmless;
    count.bugs += isBug;
    count.found += isBug && !faults[i].empty();
    CHECK(faults[i].empty() == (edits[i].harmless || edits[i].missed));
  }
  return count;
}

} // namespace tercet::test
