// Every edit is looked for a fault, two edits at a time.
#include "unit/simulator/KernelEdits.h"

#include "tercet/compiler/cuda/DeviceLibrary.h"

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

} // namespace

std::string withDeviceLibrary(const std::string &kernel) { return Inliner().run(kernel); }

BugCount countBugs(const std::string &source, const std::vector<KernelEdit> &edits,
                   const std::function<std::string(const std::string &)> &findFault) {
  REQUIRE(findFault(source) == "");

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
      faults[i] = findFault(edited);
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
