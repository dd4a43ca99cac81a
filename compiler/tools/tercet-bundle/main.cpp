// tercet-bundle -o FOLDER --target sm_80,sm_90a [--quick] [--commit ID]
#include "BundleWriter.h"
#include "ConformanceUnits.h"
#include "Progress.h"

#include <CLI/CLI.hpp>

using namespace tercet;
using namespace tercet::bundle;

namespace {

struct Options {
  std::string output, targets, commit = "unknown", conformance;
  bool quick = false;
};

Status write(const Options &options) {
  std::filesystem::path folder = options.output;
  std::error_code failed;
  for (const char *part : {"artifacts", "tensors"}) {
    std::filesystem::create_directories(folder / part, failed);
    if (failed)
      return Status::make(Code::invalidArgument, "cannot make {}: {}", (folder / part).string(), failed.message());
  }
  std::vector<std::string> targets;
  for (size_t begin = 0; begin <= options.targets.size();) {
    size_t end = std::min(options.targets.find(',', begin), options.targets.size());
    targets.push_back(options.targets.substr(begin, end - begin));
    begin = end + 1;
  }
  BundleWriter writer(folder, targets, options.commit);
  std::vector<Case> cases = bundle::cases(options.quick);
  std::vector<Benchmark> benchmarks = bundle::benchmarks(options.quick);
  cli::Progress progress("bundle", static_cast<int64_t>(cases.size() + benchmarks.size()));
  for (const Case &entry : cases) {
    TERCET_RETURN_IF_ERROR(writer.add(entry));
    progress.advance();
  }
  for (const Benchmark &entry : benchmarks) {
    TERCET_RETURN_IF_ERROR(writer.add(entry));
    progress.advance();
  }
  for (const cli::Json &refusal : writer.unsupported())
    cli::printWarning(fmt::format("{} for {}: {}", refusal["program"].get<std::string>(),
                                  refusal["target"].get<std::string>(), refusal["reason"].get<std::string>()));
  // sm_80 PTX runs on every GPU that the bundle is for.
  if (!options.conformance.empty())
    TERCET_RETURN_IF_ERROR(writeConformance(options.conformance, "sm_80", folder / "conformance"));
  if (writer.written() == 0)
    return Status::make(Code::unsupportedTarget, "no case has code for any of {}", options.targets);
  return writer.finish();
}

} // namespace

int main(int argc, char **argv) {
  Options options;
  CLI::App app("Writes artifacts, inputs and expected rows for tercet-run.", "tercet-bundle");
  app.add_option("-o,--output", options.output, "the folder to write")->required()->type_name("FOLDER");
  app.add_option("--target", options.targets, "architectures or CPU targets, with commas")
      ->required()
      ->type_name("T[,T..]");
  app.add_option("--conformance", options.conformance, "one-instruction kernels to add as PTX")->type_name("FILE.cu");
  app.add_option("--commit", options.commit, "what the table says it was made from")->type_name("ID");
  app.add_flag("--quick", options.quick, "two cases and no benchmarks: shows that it works");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &wanted) {
    return app.exit(wanted);
  } catch (const CLI::ParseError &error) {
    cli::printError(Status::make(Code::invalidArgument, "{}", error.what()));
    return cli::exitInput;
  }
  Status status = write(options);
  if (status.ok())
    return cli::exitOk;
  cli::printError(status);
  return cli::exitCodeOf(status.code());
}
