// Plain writes without a flush to disk: a torn sidecar misleads no program.
#include "Sidecars.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace tercet {
namespace {

namespace fs = std::filesystem;

constexpr const char *specSuffix = ".mlir", *logSuffix = ".log", *cudaSuffix = ".cu";
constexpr const char *suffixes[] = {specSuffix, logSuffix, cudaSuffix};
constexpr size_t largestSidecar = size_t{1} << 20; // a spec has at most that; a longer log loses its end

std::string kernelLine(const TargetModule &module, const KernelInfo &kernel) {
  if (!module.isGpu())
    return fmt::format("  {}: {} bytes of scratch; {}\n", kernel.name, kernel.scratchBytes, kernel.schedule);
  const GpuKernelInfo &gpu = kernel.gpu;
  std::string text = fmt::format("  {}: {} registers, {} bytes spilled, {} of stack, {} shared, {} of code; {}\n",
                                 kernel.name, gpu.registers, gpu.spillBytes, gpu.stackBytes,
                                 gpu.staticSharedBytes + gpu.dynamicSharedBytes, gpu.codeBytes, kernel.schedule);
  for (const std::string &note : gpu.notes)
    text += fmt::format("  {}: {}\n", kernel.name, note);
  return text;
}

/// The CUDA C++ of all GPU kernels, one behind the other.
std::string cudaOf(const Artifact &artifact) {
  std::string text;
  for (const TargetModule &module : artifact.modules)
    for (const KernelInfo &kernel : module.kernels)
      if (!kernel.gpu.source.empty())
        text += fmt::format("// {} for {}\n{}\n", kernel.name, module.target, kernel.gpu.source);
  return text;
}

std::string logOf(const Artifact &artifact, double compileMs) {
  std::string text = fmt::format("{}: head dimension {}, value dimension {}, {}\ncompiler: {}\naggregation: {}\n",
                                 artifact.specName, artifact.headDim, artifact.valueDim, dtypeName(artifact.dtype),
                                 artifact.compiler, artifact.aggregation);
  for (const auto &[name, value] : artifact.staticParameters)
    text += fmt::format("parameter {} = {}\n", name, value);
  for (const TargetModule &module : artifact.modules) {
    text += fmt::format("target {}: {} bytes of code\n", module.target, module.code.size());
    for (const KernelInfo &kernel : module.kernels)
      text += kernelLine(module, kernel);
    for (const std::string &remark : module.remarks)
      text += remark + "\n";
  }
  return text + fmt::format("compiled in {:.1f} ms\n", compileMs);
}

void writeText(const fs::path &path, std::string_view text) {
  std::error_code ignored;
  fs::remove(path, ignored); // a link is replaced, not followed
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(text.data(), static_cast<std::streamsize>(std::min(text.size(), largestSidecar)));
  file.close();
  if (!file)
    fs::remove(path, ignored);
}

fs::path besideOf(fs::path entry, const char *suffix) { return entry.replace_extension(suffix); }

} // namespace

void writeSidecars(const fs::path &entry, const Artifact &artifact, double compileMs) {
  writeText(besideOf(entry, specSuffix), artifact.specText);
  writeText(besideOf(entry, logSuffix), logOf(artifact, compileMs));
  if (std::string cuda = cudaOf(artifact); !cuda.empty())
    writeText(besideOf(entry, cudaSuffix), cuda);
}

uint64_t sidecarBytes(const fs::path &entry) {
  uint64_t bytes = 0;
  for (const char *suffix : suffixes) {
    std::error_code missing;
    uint64_t size = fs::file_size(besideOf(entry, suffix), missing);
    bytes += missing ? 0 : size;
  }
  return bytes;
}

void removeSidecars(const fs::path &entry) {
  std::error_code ignored;
  for (const char *suffix : suffixes)
    fs::remove(besideOf(entry, suffix), ignored);
}

bool isSidecar(const fs::path &path) {
  return std::find(std::begin(suffixes), std::end(suffixes), path.extension()) != std::end(suffixes);
}

} // namespace tercet
