// Plain writes without a flush to disk: a torn sidecar misleads no program.
#include "Sidecars.h"

#include <fmt/format.h>

#include <fstream>

namespace tercet {
namespace {

namespace fs = std::filesystem;

constexpr const char *sourceSuffix = ".mlir", *logSuffix = ".log";
constexpr size_t largestSidecar = size_t{1} << 20; // a spec has at most that; a longer log loses its end

std::string logOf(const Artifact &artifact, const std::vector<std::string> &remarks) {
  std::string text = fmt::format("{}: head dimension {}, value dimension {}, {}\ncompiler: {}\naggregation: {}\n",
                                 artifact.specName, artifact.headDim, artifact.valueDim, dtypeName(artifact.dtype),
                                 artifact.compiler, artifact.aggregation);
  for (const auto &[name, value] : artifact.staticParameters)
    text += fmt::format("parameter {} = {}\n", name, value);
  for (const TargetModule &module : artifact.modules) {
    text += fmt::format("target {}: {} bytes of code\n", module.target, module.code.size());
    for (const KernelInfo &kernel : module.kernels)
      text += fmt::format("  {}: {} bytes of scratch; {}\n", kernel.name, kernel.scratchBytes, kernel.schedule);
  }
  for (const std::string &remark : remarks)
    text += remark + "\n";
  return text;
}

void writeText(const fs::path &path, std::string_view text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(text.data(), static_cast<std::streamsize>(std::min(text.size(), largestSidecar)));
  file.close();
  std::error_code ignored;
  if (!file)
    fs::remove(path, ignored);
}

fs::path besideOf(fs::path entry, const char *suffix) { return entry.replace_extension(suffix); }

} // namespace

void writeSidecars(const fs::path &entry, const Artifact &artifact, const std::vector<std::string> &remarks) {
  writeText(besideOf(entry, sourceSuffix), artifact.specText);
  writeText(besideOf(entry, logSuffix), logOf(artifact, remarks));
}

uint64_t sidecarBytes(const fs::path &entry) {
  uint64_t bytes = 0;
  for (const char *suffix : {sourceSuffix, logSuffix}) {
    std::error_code missing;
    uint64_t size = fs::file_size(besideOf(entry, suffix), missing);
    bytes += missing ? 0 : size;
  }
  return bytes;
}

void removeSidecars(const fs::path &entry) {
  std::error_code ignored;
  for (const char *suffix : {sourceSuffix, logSuffix})
    fs::remove(besideOf(entry, suffix), ignored);
}

bool isSidecar(const fs::path &path) { return path.extension() == sourceSuffix || path.extension() == logSuffix; }

} // namespace tercet
