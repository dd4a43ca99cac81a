// Reads what ptxas -v says, from NVRTC's log.
//
// ptxas reports a kernel between "Compiling entry function 'NAME'" and the next such line; notes name it by
// "for the function 'NAME'" and come before. A unit of one kernel has one section, so lines without a name are its own.
#include "tercet/compiler/cuda/Nvrtc.h"

#include <regex>

namespace tercet::compiler {

namespace {

int64_t numberBefore(const std::string &line, const char *what) {
  std::smatch match;
  if (!std::regex_search(line, match, std::regex(std::string("(\\d+) ") + what)))
    return 0;
  return std::stoll(match[1].str());
}

void raise(std::optional<int64_t> &figure, int64_t to) { figure = std::max(figure.value_or(0), to); }

// C7507, C7508: setmaxnreg ignored. C7510 .. C7520: products of a warpgroup serialised, or a wait or an arrive inserted
// by ptxas because the kernel's own is missing.
bool refuses(const std::string &note) {
  static const std::regex code("^C75(0[78]|1[0-9]|20)\\b");
  return std::regex_search(note, code);
}

} // namespace

KernelResources parseNvrtcLog(std::string_view log, std::string_view kernel) {
  static const std::regex entry("Compiling entry function '([^']+)'"), noted("\\((C75\\d\\d)\\)\\s*(.*)"),
      named("function '([^']+)'");
  KernelResources resources{
      .kernel = std::string(kernel), .registers = 0, .spillBytes = 0, .sharedBytes = 0, .stackBytes = 0};
  bool mine = true;
  for (size_t begin = 0; begin < log.size();) {
    size_t end = std::min(log.find('\n', begin), log.size());
    std::string line(log.substr(begin, end - begin));
    begin = end + 1;
    std::smatch match;
    if (std::regex_search(line, match, entry))
      mine = match[1].str() == kernel;
    if (std::regex_search(line, match, noted)) {
      std::string note = match[1].str() + ": " + match[2].str();
      std::smatch name;
      if (!std::regex_search(note, name, named) || name[1].str() == kernel)
        resources.notes.push_back(note);
      continue;
    }
    if (!mine)
      continue;
    raise(resources.stackBytes, numberBefore(line, "bytes stack frame"));
    raise(resources.spillBytes, numberBefore(line, "bytes spill stores") + numberBefore(line, "bytes spill loads"));
    raise(resources.registers, numberBefore(line, "registers"));
    raise(resources.sharedBytes, numberBefore(line, "bytes smem"));
  }
  return resources;
}

std::string refusalOf(const KernelResources &resources) {
  if (resources.spillBytes > 0 || resources.stackBytes > 0)
    return fmt::format("{} bytes of spills, {} bytes of stack", resources.spillBytes.value_or(0),
                       resources.stackBytes.value_or(0));
  for (const std::string &note : resources.notes)
    if (refuses(note))
      return note;
  return {};
}

} // namespace tercet::compiler
