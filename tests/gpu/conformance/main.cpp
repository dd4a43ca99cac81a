// tercet-conformance: runs the conformance kernels on a device, compares their outputs with a recording, and records them.
//   tercet-conformance --target cuda:0 --against recordings/simulator.json --record h200.json --markdown report.md
//   tercet-conformance --target sim:sm_90a --record recordings/simulator.json
#include "Recording.h"
#include "Report.h"

#include "tercet/AtomicFile.h"
#include "tercet/rt/CudaDriver.h"
#include "tercet/rt/SimulatedGpu.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>

using namespace tercet;
using namespace tercet::conformance;

namespace {

struct Options {
  std::string target = "cuda:0", against, record, markdown, ptx, only, merge;
  bool list = false;
};

constexpr int exitOk = 0, exitDifferent = 1, exitError = 2, exitNoDevice = 3;

Result<std::shared_ptr<rt::GpuDevice>> openDevice(const std::string &target) {
  if (target.starts_with("sim:"))
    return rt::openSimulatedGpu(target);
  if (target != "cuda" && !target.starts_with("cuda:"))
    return Status::make(Code::unsupportedTarget, "there is no target '{}'; legal are cuda:N and sim:sm_80 and later",
                        target);
  return rt::openCudaDevice(target.size() > 5 ? std::atoi(target.c_str() + 5) : 0);
}

Status write(const std::string &path, const std::string &text) {
  if (path.empty())
    return {};
  return writeFileAtomically(path, {reinterpret_cast<const uint8_t *>(text.data()), text.size()});
}

Status writeKernels(const std::string &folder) {
  for (const Case &given : allCases())
    TERCET_RETURN_IF_ERROR(write(folder + "/" + given.name + ".ptx", kernelText(given)));
  return {};
}

Result<Recording> read(const std::string &path) {
  TERCET_TRY(std::vector<uint8_t> bytes, readWholeFile(path, uint64_t{1} << 28));
  return fromJson(std::string(bytes.begin(), bytes.end()));
}

/// All recordings of a folder as one.
Result<Recording> merged(const std::string &folder) {
  Recording all;
  std::error_code error;
  for (const auto &entry : std::filesystem::directory_iterator(folder, error)) {
    TERCET_TRY(Recording part, read(entry.path().string()));
    all.device = part.device;
    all.driver = part.driver;
    all.outputs.merge(part.outputs);
    all.failures.merge(part.failures);
  }
  if (error)
    return Status::make(Code::invalidArgument, "cannot read the folder {}: {}", folder, error.message());
  return all;
}

Result<Recording> recordingOf(const Options &options) {
  if (!options.merge.empty())
    return merged(options.merge);
  TERCET_TRY(std::shared_ptr<rt::GpuDevice> device, openDevice(options.target));
  return record(*device, options.only);
}

Result<int> runProgram(const Options &options) {
  if (options.list) {
    for (const Case &given : allCases())
      std::puts(given.name.c_str());
    return exitOk;
  }
  if (!options.ptx.empty()) {
    TERCET_RETURN_IF_ERROR(writeKernels(options.ptx));
    return exitOk;
  }
  std::optional<Recording> expected;
  if (!options.against.empty()) {
    TERCET_TRY(expected, read(options.against));
  }
  TERCET_TRY(Recording got, recordingOf(options));
  TERCET_RETURN_IF_ERROR(write(options.record, toJson(got)));
  Report report = reportOf(got, expected ? &*expected : nullptr);
  std::fputs(report.markdown.c_str(), stdout);
  TERCET_RETURN_IF_ERROR(write(options.markdown, report.markdown));
  return report.passed ? exitOk : exitDifferent;
}

} // namespace

int main(int argc, char **argv) {
  Options options;
  CLI::App app("Runs one-instruction kernels and compares what they give with a recording.", "tercet-conformance");
  app.add_option("--target", options.target, "cuda:N or sim:sm_80 .. (default cuda:0)")->type_name("T");
  app.add_option("--against", options.against, "a recording to compare with")->type_name("FILE");
  app.add_option("--record", options.record, "write the outputs as a recording")->type_name("FILE");
  app.add_option("--markdown", options.markdown, "write the table as a page")->type_name("FILE");
  app.add_option("--only", options.only, "run this case alone")->type_name("NAME");
  app.add_option("--merge", options.merge, "take the recordings of this folder instead of running")
      ->type_name("FOLDER");
  app.add_flag("--list", options.list, "print the names of the cases, and run nothing");
  app.add_option("--ptx", options.ptx, "write the kernels' PTX into this folder, and run nothing")->type_name("FOLDER");
  CLI11_PARSE(app, argc, argv);
  Result<int> code = runProgram(options);
  if (code.ok())
    return *code;
  std::fprintf(stderr, "tercet-conformance: error: %s\n", code.status().message().c_str());
  return code.status().code() == Code::deviceUnavailable || code.status().code() == Code::unsupportedTarget
             ? exitNoDevice
             : exitError;
}
