// tercet-run: artifacts on this machine's CPU, GPUs or the simulator, without a compiler.
//   tercet-run ARTIFACT.. --in q=q.npy --in k=k.npy --in v=v.npy --out o=o.npy [--set keep=0.05] [--target T] [--json]
//   tercet-run --cases cases.json [--only TEXT] [--no-benchmarks] [--json-file F] [--markdown F] [--target T]
#include "FileCall.h"
#include "MarkdownReport.h"
#include "RunBenchmarks.h"

#include "tercet/AtomicFile.h"
#include "tercet/Environment.h"
#include "tercet/rt/SimulatedGpu.h"

#include <CLI/CLI.hpp>

using namespace tercet;
using namespace tercet::run;
using cli::Json;

namespace {

struct Options {
  FileCallOptions call;
  std::string target = "cuda:0", cases, only, jsonFile, markdownFile;
  bool json = false, noBenchmarks = false;
  BenchmarkOptions benchmarks;
};

Status writeText(const std::string &path, const std::string &text) {
  if (path.empty())
    return {};
  return writeFileAtomically(path, {reinterpret_cast<const uint8_t *>(text.data()), text.size()});
}

Json deviceJson(const RunTarget &target) {
  if (!target.device)
    return {{"target", target.target}};
  const rt::GpuProperties &device = target.device->properties();
  return {{"target", device.target},
          {"name", device.name},
          {"architecture", device.architecture},
          {"driver", device.driver},
          {"multiprocessors", device.multiprocessors},
          {"memory_bytes", device.memoryBytes},
          {"l2_bytes", device.l2Bytes},
          {"clock_ghz", device.clockGHz}};
}

Result<cli::ExitCode> runTable(const RunTarget &target, const Options &options) {
  TERCET_TRY(CaseFile file, readCaseFile(options.cases));
  std::vector<CaseResult> cases;
  std::vector<BenchmarkResult> benchmarks;
  auto wanted = [&](const std::string &name) { return name.find(options.only) != std::string::npos; };
  bool passed = true;
  size_t ran = 0;
  Json object = {{"command", "cases"},        {"version", TERCET_VERSION},    {"commit", file.commit},
                 {"compiler", file.compiler}, {"device", deviceJson(target)}, {"passed", true},
                 {"cases", Json::array()},    {"benchmarks", Json::array()}};
  for (const CaseEntry &entry : file.cases) {
    if (!wanted(entry.name))
      continue;
    fmt::print(stderr, "{}\n", entry.name);
    cases.push_back(runCase(target, entry));
    passed &= cases.back().passed() || !cases.back().skipped.empty();
    ran += cases.back().skipped.empty();
    object["cases"].push_back(toJson(cases.back()));
  }
  for (const BenchmarkEntry &entry : file.benchmarks) {
    if (options.noBenchmarks || !wanted(entry.name))
      continue;
    fmt::print(stderr, "{}\n", entry.name);
    benchmarks.push_back(runBenchmark(target, entry, options.benchmarks));
    passed &= benchmarks.back().error.empty();
    object["benchmarks"].push_back(toJson(benchmarks.back()));
  }
  if (ran == 0 && benchmarks.empty())
    return Status::make(Code::unsupportedTarget, "no case of {} runs on '{}'", options.cases, target.target);
  object["passed"] = passed;
  ReportHead head{target.target, target.target, "the host processor", file.compiler, file.commit, false};
  if (target.device) {
    const rt::GpuProperties &device = target.device->properties();
    head.device = device.name;
    head.driver = device.driver;
    head.simulated = !device.runsCubin;
  }
  std::string page = markdown(head, cases, benchmarks);
  TERCET_RETURN_IF_ERROR(writeText(options.jsonFile, object.dump(2) + "\n"));
  TERCET_RETURN_IF_ERROR(writeText(options.markdownFile, page));
  TERCET_RETURN_IF_ERROR(options.json ? cli::printJson(object) : cli::printText(page));
  return passed ? cli::exitOk : cli::exitInput;
}

Result<cli::ExitCode> runProgram(const Options &options) {
  if (options.cases.empty() == options.call.artifacts.empty())
    return Status::make(Code::invalidArgument, "give either artifacts and --in, or --cases FILE");
  SessionOptions sessionOptions;
  sessionOptions.useCache = false;
  sessionOptions.openDevice = [](const std::string &target) { return rt::openSimulatedGpu(target); };
  TERCET_TRY(std::unique_ptr<Session> session, Session::create(std::move(sessionOptions)));
  RunTarget target{*session, options.target, nullptr};
  if (!options.target.starts_with("cpu")) {
    TERCET_TRY(target.device, session->device(options.target));
  }
  if (!options.cases.empty())
    return runTable(target, options);
  TERCET_TRY(Json object, runFiles(target, options.call));
  if (options.json)
    TERCET_RETURN_IF_ERROR(cli::printJson(object));
  else
    TERCET_RETURN_IF_ERROR(
        cli::printText(fmt::format("{} on {} ({}): {:.3f} ms\n", object["spec"].get<std::string>(), options.target,
                                   object["module"].get<std::string>(), object["ms"].get<double>())));
  return cli::exitOk;
}

void repeated(CLI::App &app, const char *name, std::vector<std::string> &values, const char *text) {
  app.add_option_function<std::string>(
         name, [&values](const std::string &value) { values.push_back(value); }, text)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->trigger_on_parse();
}

} // namespace

int main(int argc, char **argv) {
  Options options;
  CLI::App app("Runs artifacts of tercet without its compiler.", "tercet-run");
  app.set_version_flag("--version", std::string("tercet-run " TERCET_VERSION));
  app.add_option("ARTIFACT", options.call.artifacts, "artifacts of one program, for one or several targets");
  app.add_option("--target", options.target, "cuda:N, sim:sm_80 .., cpu (default cuda:0)")->type_name("T");
  repeated(app, "--in", options.call.in, "an input tensor, .npy or .safetensors: NAME=FILE[:TENSOR]");
  repeated(app, "--out", options.call.out, "write an output: NAME=FILE");
  repeated(app, "--set", options.call.set, "a runtime parameter: NAME=VALUE");
  app.add_option("--cases", options.cases, "a table of cases with expected rows")->type_name("FILE");
  app.add_option("--only", options.only, "run the entries whose name holds this text");
  app.add_flag("--no-benchmarks", options.noBenchmarks, "check, and time nothing");
  app.add_option("--repetitions", options.benchmarks.repetitions, "timed replays of a benchmark (default 50)")
      ->check(CLI::Range(1, 100000));
  app.add_option("--largest", options.benchmarks.largestTokens, "skip benchmarks of more tokens than this");
  app.add_option("--json-file", options.jsonFile, "write the results as JSON")->type_name("FILE");
  app.add_option("--markdown", options.markdownFile, "write the results as a page")->type_name("FILE");
  app.add_flag("--json", options.json, "one JSON object on standard output");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &wanted) {
    return app.exit(wanted);
  } catch (const CLI::ParseError &error) {
    cli::printError(Status::make(Code::invalidArgument, "{}", error.what()));
    return cli::exitInput;
  }
  environment(); // reports unknown TERCET_* variables
  Result<cli::ExitCode> code = runProgram(options);
  if (code.ok())
    return *code;
  cli::printError(code.status());
  return cli::exitCodeOf(code.status().code());
}
